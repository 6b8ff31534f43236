/** Processes on a real Redis, and what happens to them when the way there is cut. */
import { setImmediate as turned } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hearing } from '../../src/store/neighbours.ts'
import { openRedisStore, type RedisStore } from '../../src/store/redis.ts'
import { Proxy } from '../support/proxy.ts'
import { redisProgram, RedisServer } from '../support/redis.ts'
import { describeNeighbours } from './contract-neighbours.ts'
import { bindRequest, parcels, roomSettings } from './support.ts'

if (redisProgram === null) test('needs a redis-server', () => expect(redisProgram).not.toBeNull())

let server: RedisServer
let tests = 0

beforeAll(async () => {
  server = await RedisServer.start()
})

afterAll(() => server.stop())

describeNeighbours('redis', () => {
  const prefix = `test-${++tests}:`
  return clock => openRedisStore({ url: server.url, clock, prefix })
})

describe('redis: neighbours whose way is cut', () => {
  test('are told that they may have missed something, and hear again what comes', { timeout: 60_000 }, async () => {
    const proxy = await Proxy.start(server.port)
    const [one, two] = await Promise.all(
      [server.port, proxy.port].map(port => openRedisStore({ url: `redis://127.0.0.1:${port}`, prefix: 'cut:' })),
    )
    const heard: string[] = []
    two!.neighbours.listen('two', {
      woken: id => heard.push(`mail for ${id}`),
      settled: () => {},
      evicted: () => {},
      appended: (_, end) => heard.push(`up to ${end?.last}`),
      reported: () => {},
      signalled: () => {},
      missed: room => heard.push(`missed ${room ?? 'anything'}`),
    })
    await one!.rooms.create('#hall', roomSettings())
    const soon = { timeout: 20_000, interval: 10 }
    await expect.poll(() => heard, soon).toEqual(['missed anything'])
    two!.neighbours.follow('#hall')
    await expect.poll(() => heard, soon).toEqual(['missed anything', 'missed #hall'])
    one!.neighbours.wake('two', 'ann')
    await expect.poll(() => heard, soon).toContain('mail for ann')
    await one!.rooms.append('#hall', parcels(1, 1))
    await expect.poll(() => heard, soon).toContain('up to 1')
    heard.length = 0
    proxy.cut()
    await expect.poll(() => heard, soon).toContain('missed anything')
    await one!.rooms.append('#hall', parcels(2, 2))
    one!.neighbours.wake('two', 'bob')
    await expect.poll(() => heard, soon).toContain('mail for bob')
    await Promise.all([one!.close(), two!.close()])
    await proxy.close()
  })
})

describe('redis: a neighbour of another version', () => {
  test(
    'may say what nobody knows here, and is not heard, or what is meant is looked for',
    { timeout: 30_000 },
    async () => {
      const store = await openRedisStore({ url: server.url, prefix: 'later:' })
      const heard: string[] = []
      store.neighbours.listen('one', {
        woken: id => heard.push(`mail for ${id}`),
        settled: (stream, recipient) => heard.push(`${stream} has ended at ${recipient}`),
        evicted: id => heard.push(`${id} is elsewhere`),
        appended: (room, end) => heard.push(`${room} goes to ${end?.last}`),
        reported: room => heard.push(`news of ${room}`),
        signalled: (target, _from, _body, epoch) => heard.push(`a signal to ${target} in ${epoch || 'any epoch'}`),
        missed: room => heard.push(`missed ${room ?? 'anything'}`),
      })
      const soon = { timeout: 20_000, interval: 10 }
      await expect.poll(() => heard, soon).toEqual(['missed anything'])
      store.neighbours.follow('#hall')
      await expect.poll(() => heard, soon).toContain('missed #hall')
      heard.length = 0
      const say = (channel: string, message: string): Promise<string> =>
        server.ask(`PUBLISH later:${channel} "${message}"`)
      for (const message of [
        '',
        'x',
        'xann later 1 body',
        'wann',
        'e',
        'sann',
        'sann bob',
        'd',
        'dann',
        'dann out',
        'dann out b#b',
        '\\xff\\x00',
      ]) {
        expect(await say('node:one', message)).toBe(':1')
      }
      const news = ['r', 'rno list', 'r7', 'r{}', 'r[]', 'rnull', 'a', 'alease', 'alease epoch', 'alease epoch far']
      for (const message of [
        '',
        'x',
        'xlease ann 1 body',
        's',
        'slease',
        ...news,
        'slease ann 1 hi',
        'alease epoch 7',
      ]) {
        expect(await say('{#hall}:wakes', message)).toBe(':1')
      }
      await expect.poll(() => heard, soon).toContain('#hall goes to 7')
      expect(heard.filter(line => line !== 'missed #hall')).toEqual([
        'mail for ann',
        'a signal to #hall in any epoch',
        '#hall goes to 7',
      ])
      await store.close()
    },
  )
})

describe('redis: a process that is alone', () => {
  const soon = { timeout: 30_000, interval: 20 }
  const hearing = (heard: string[]): Hearing => ({
    woken: id => heard.push(`mail for ${id}`),
    settled: (stream, recipient) => heard.push(`${stream} has ended at ${recipient}`),
    evicted: () => {},
    appended: () => {},
    reported: () => {},
    signalled: () => {},
    missed: () => heard.push('missed anything'),
  })

  /** How often Redis was asked so far to publish something. */
  const published = async (): Promise<number> =>
    Number(/cmdstat_publish:calls=(\d+)/.exec(await server.ask('INFO commandstats'))?.[1] ?? 0)

  /** Whether Redis is asked when something of a client at the process two has ended in a mailbox that the process one has. */
  const tells = async (one: RedisStore): Promise<boolean> => {
    const before = await published()
    one.neighbours.settled('ann out', 'carl')
    await turned()
    // Redis has taken what came before that.
    await one.check()
    return (await published()) > before
  }

  /** One has learnt that it is alone. */
  const alone = async (prefix: string, heard: string[]): Promise<RedisStore> => {
    const before = await published()
    const one = await openRedisStore({ url: server.url, prefix })
    one.neighbours.listen('one', hearing(heard))
    await expect.poll(() => heard, soon).toEqual(['missed anything'])
    expect(await one.bind(bindRequest('ann', { create: true, node: 'two' }))).toMatchObject({ kind: 'bound' })
    // From then on Redis has the script that looks where somebody is, and answers in the order of the calls.
    one.neighbours.signal('ann', 'carl', { bytes: Buffer.from('hi'), start: 0, end: 2, text: true }, '')
    await expect.poll(published, soon).toBeGreaterThan(before)
    await expect.poll(() => tells(one), soon).toBe(false)
    return one
  }

  test('asks Redis nothing of what has ended, until another one comes, and again when that is gone', async () => {
    const one = await alone('alone:', [])
    const two = await openRedisStore({ url: server.url, prefix: 'alone:' })
    const heard: string[] = []
    two.neighbours.listen('two', hearing(heard))
    await expect.poll(() => tells(one), soon).toBe(true)
    await expect.poll(() => heard, soon).toContain('missed anything')
    expect(await tells(one)).toBe(true)
    await expect.poll(() => heard, soon).toContain('ann out has ended at carl')
    await two.close()
    await expect.poll(() => tells(one), soon).toBe(false)
    await one.close()
  }, 120_000)

  test('knows of another one as soon as that says something', async () => {
    const heard: string[] = []
    const one = await alone('spoken:', heard)
    const two = await openRedisStore({ url: server.url, prefix: 'spoken:' })
    two.neighbours.wake('one', 'ann')
    await expect.poll(() => heard, soon).toContain('mail for ann')
    expect(await tells(one)).toBe(true)
    await Promise.all([one.close(), two.close()])
  }, 120_000)
})
