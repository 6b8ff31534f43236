/**
 * A room over two servers whose Redis dies, while ten clients publish to it and read it; its replica takes its place, and lacks what was said since the
 * way between the two was cut, though it was told stored.
 *
 * Whoever has seen what is gone must be told that the log is another one, and publishers must offer again what they were told stored. So
 * in the end each message is in the log once, each sender's in their order; everybody has read each once; and who reads the log from its beginning, at whichever server,
 * reads the same.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Proxy } from '../support/proxy.ts'
import { freePort } from '../support/port.ts'
import { RedisServer } from '../support/redis.ts'
import type { Member } from './member.ts'
import { endWell, Publishers } from './publishers.ts'
import { ServerProcess, until } from './server.ts'

/** ms for which is published before the way is cut, between that and the end of the primary, and after the failover. */
const BEFORE_MS = 1_500
const CUT_MS = 1_200
const AFTER_MS = 1_500
/** ms between two messages of one client: a busy machine must not make it say more than its outbox keeps to offer again, which is a thousand. */
const PAUSE_MS = 50
/** ms until the servers have found the other Redis, and the clients have offered again what it lacks. */
const BACK_MS = 60_000

/** What is wrong with the order in which somebody has read the messages of each sender. */
function disorder({ read }: Member): readonly string[] {
  const last = new Map<string, number>()
  return read.filter(letter => {
    const [sender = '', n = '0'] = letter.split(' ')
    const isLate = Number(n) <= (last.get(sender) ?? 0)
    last.set(sender, Number(n))
    return isLate
  })
}

test('a room outlives a failover to a replica that lacks its end', { timeout: 240_000 }, async () => {
  const primary = await RedisServer.start()
  const link = await Proxy.start(primary.port)
  const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${link.port}`, '--repl-timeout', '600')
  const way = await Proxy.start(primary.port)
  const settings = ['--redis-url', `redis://127.0.0.1:${way.port}`, '--room-messages', '100000']
  const servers = [1, 2].map(() => new ServerProcess(primary.directory, settings))
  for (const server of servers) await server.start()
  const publishers = new Publishers(servers)
  const { members } = publishers
  const late: Member[] = []
  for (const member of members) member.mayLose = true
  let [kept, said] = [0, 0]
  const lastOf = async (redis: RedisServer): Promise<number> =>
    Number((await redis.ask('HGET ackd:{#lobby}:room last')).split('\r\n')[1])
  try {
    await publishers.enter()
    await publishers.areThere(members, members)
    await until(async () => (await replica.ask('INFO replication')).includes('master_link_status:up'), 'it follows')
    await publishers.publishWhile(async () => {
      await sleep(BEFORE_MS)
      await until(async () => (await lastOf(replica)) > members.length, 'the replica has something')
      link.farPort = await freePort()
      link.cut()
      await sleep(CUT_MS)
      const isAhead = async (): Promise<boolean> => (await lastOf(primary)) > (await lastOf(replica)) + members.length
      await until(isAhead, 'the primary has more')
      said = await lastOf(primary)
      await primary.signal('SIGKILL')
      expect(await replica.ask('REPLICAOF NO ONE')).toBe('+OK')
      kept = await lastOf(replica)
      way.farPort = replica.port
      way.cut()
      // Somebody has said something since, and so was asked for what is missing before it.
      await until(async () => (await lastOf(replica)) > said, 'the replica has it all', BACK_MS)
      await sleep(AFTER_MS)
    }, PAUSE_MS)
    await publishers.haveReadAll()
    expect(members.flatMap(disorder)).toEqual([])
    expect(members.every(({ lost }) => lost > 0)).toBe(true)
    late.push(await publishers.latecomer(0), await publishers.latecomer(1))
    await publishers.haveReadAlike(late)
    expect(late.flatMap(disorder)).toEqual([])
    await publishers.areThere(members, [...members, ...late])
    process.stdout.write(
      `${publishers.stored.length} messages stored, of which the failover had lost ${said - kept}; each is in the log once\n`,
    )
    for (const server of servers) await endWell(server)
  } finally {
    await Promise.all(late.map(({ client }) => client.close()))
    await publishers.leave()
    for (const server of servers) await server.discard()
    await link.close()
    await way.close()
    await replica.stop()
    await primary.stop()
  }
})
