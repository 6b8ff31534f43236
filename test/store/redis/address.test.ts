import { expect, test } from 'vitest'

import { parseRedisAddress } from '../../../src/store/redis/address.ts'

test('reads the address of one server', () => {
  expect(parseRedisAddress('redis://127.0.0.1')).toMatchObject({
    kind: 'single',
    tls: false,
    hosts: [{ host: '127.0.0.1', port: 6379 }],
    db: 0,
    password: '',
  })
  expect(parseRedisAddress('rediss://ackd:p%40ss:word@redis.example:6390/3')).toMatchObject({
    tls: true,
    username: 'ackd',
    password: 'p@ss:word',
    hosts: [{ host: 'redis.example', port: 6390 }],
    db: 3,
  })
  expect(parseRedisAddress('redis://:secret@[::1]:6380')).toMatchObject({
    username: '',
    password: 'secret',
    hosts: [{ host: '::1', port: 6380 }],
  })
})

test('reads a socket file', () => {
  expect(parseRedisAddress('unix:///run/redis.sock?db=2')).toMatchObject({
    kind: 'socket',
    path: '/run/redis.sock',
    db: 2,
  })
})

test('reads sentinels and clusters', () => {
  expect(parseRedisAddress('redis+sentinel://a,b:26380/main/1')).toMatchObject({
    kind: 'sentinel',
    hosts: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 26380 },
    ],
    group: 'main',
    db: 1,
  })
  expect(parseRedisAddress('rediss+cluster://u:p@a,b:7001')).toMatchObject({
    kind: 'cluster',
    tls: true,
    username: 'u',
    hosts: [
      { host: 'a', port: 6379 },
      { host: 'b', port: 7001 },
    ],
  })
})

test('shows an address without its password', () => {
  expect(parseRedisAddress('redis://user:secret@host:1/2')?.shown).toBe('redis://host:1/2')
})

test('takes nothing else', () => {
  const wrong = [
    '',
    'localhost',
    'http://host',
    'redis://',
    'redis://a,b',
    'redis://host:0',
    'redis://host:70000',
    'redis://host/db',
    'redis://host/1/2',
    'redis+sentinel://host',
    'redis+cluster://host/1',
    'unix://relative.sock',
  ]
  for (const text of wrong) expect([text, parseRedisAddress(text)]).toEqual([text, undefined])
})
