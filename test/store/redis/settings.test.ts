import { expect, test } from 'vitest'

import { judgeRedis, readInfo, redisError, UnfitRedis } from '../../../src/store/redis/settings.ts'

const good = 'redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:master\r\n'

test('has nothing to say about the settings of the redis.conf of ackd', () => {
  expect(judgeRedis(readInfo(`# Server\r\n${good}`), 'always', true)).toEqual({ refusal: null, notes: [] })
})

test('refuses what throws messages away, what takes none, and what is too old', () => {
  const refusal = (from: string, to: string): string | undefined =>
    judgeRedis(readInfo(good.replace(from, to)), 'always', true).refusal?.message
  expect(refusal('noeviction', 'allkeys-lru')).toContain('allkeys-lru')
  expect(refusal('role:master', 'role:slave')).toContain('replica')
  expect(refusal('7.0.15', '6.0.16')).toContain('6.0.16')
  expect(refusal('7.0.15', '6.2.0')).toBeUndefined()
})

test('tells what a loss of power would cost, and who can read along', () => {
  const notes = (info: string, appendfsync: string | null, authenticated: boolean): readonly string[] =>
    judgeRedis(readInfo(info), appendfsync, authenticated).notes
  expect(notes(good.replace('aof_enabled:1', 'aof_enabled:0'), 'always', true)).toEqual([
    expect.stringContaining('set appendonly yes'),
  ])
  expect(notes(good, 'everysec', true)).toEqual([expect.stringContaining('the last second')])
  expect(notes(good, 'no', true)).toEqual([expect.stringContaining('half a minute')])
  expect(notes(good, null, true)).toEqual([expect.stringContaining('does not tell')])
  expect(notes(good, 'always', false)).toEqual([expect.stringContaining('password')])
})

test('names the fix for what Redis answers', () => {
  expect(redisError(new Error('OOM command not allowed')).fix).toContain('maxmemory')
  expect(redisError(new Error('READONLY You can not write')).fix).toContain('master')
  expect(redisError(new Error('connect ECONNREFUSED')).message).toContain('cannot be reached')
  expect(redisError(new Error('WRONGPASS invalid'))).toBeInstanceOf(UnfitRedis)
  expect(redisError(new Error('LOADING'))).not.toBeInstanceOf(UnfitRedis)
})
