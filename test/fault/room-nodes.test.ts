/**
 * Two servers on one Redis, of which one is killed in turn while ten clients publish to a room and read it: what was told stored is read by every
 * member, once and in one order, and who is in the room is right at both, also when one of them is gone for good.
 *
 * `FAULT_NODE_KILLS` is how often a server is killed; `FAULT_SEED` repeats the waits between.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import { RedisServer } from '../support/redis.ts'
import { Member } from './member.ts'
import { ServerProcess, until } from './server.ts'

const KILLS = Number(process.env['FAULT_NODE_KILLS'] ?? 4)
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
const MEMBERS = 10
const ROOM = '#lobby'
/** ms */
const KILL_EVERY = [400, 1_500] as const
const MAX_AWAY_MS = 500
const QUIET_MS = 60_000
/** ms for which a process counts as living, and what it takes to notice, on a busy machine. */
const LEASE_MS = 15_000
const NOTICE_MS = 15_000

test(
  `a room over two servers, of which one is killed ${KILLS} times in turn (seed ${SEED})`,
  { timeout: KILLS * 10_000 + 240_000 },
  async () => {
    process.stdout.write(`faults: FAULT_NODE_KILLS=${KILLS} FAULT_SEED=${SEED}\n`)
    const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'everysec')
    const settings = ['--redis-url', redis.url, '--room-messages', '100000']
    const servers = [1, 2].map(() => new ServerProcess(redis.directory, settings))
    const random = new Random(SEED)
    for (const server of servers) await server.start()
    const members = Array.from({ length: MEMBERS }, (_, i) => new Member(servers[i % 2]!.url, `m${i}`))
    const at = (server: number): readonly Member[] => members.filter((_, i) => i % 2 === server)
    const ids = (of: readonly Member[]): readonly string[] => of.map(({ client }) => client.id ?? '').sort()
    const areThere = async (asked: Member, of: readonly Member[]): Promise<boolean> => {
      const there = await asked.members().catch(() => [])
      return there.join() === ids(of).join()
    }
    try {
      await Promise.all(members.map(member => member.enter(ROOM)))
      for (const asked of members) await until(() => areThere(asked, members), 'all are there')

      // Far less than the ten seconds after which a node looks by itself.
      const since = performance.now()
      const [sender, hearer] = [members[0]!, members[1]!]
      await sender.client.send(ROOM, 'at once')
      sender.stored.push('at once')
      await until(() => hearer.read.includes('at once'), 'a message reaches the other server', 5_000)
      const acrossMs = performance.now() - since

      let over = false
      const publishing = Promise.all(members.map(member => member.publish(() => over)))
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(random.between(...KILL_EVERY))
        const server = servers[kill % 2]!
        await server.kill()
        await sleep(random.between(0, MAX_AWAY_MS))
        await server.start()
      }
      over = true
      await publishing
      await Promise.all(members.map(member => member.settled()))
      const stored = members.flatMap(member => member.stored)
      await until(() => members.every(({ read }) => read.length >= stored.length), 'all have read all', QUIET_MS)
      expect(members.flatMap(({ wrong }) => wrong)).toEqual([])
      expect(stored.length).toBeGreaterThan(KILLS * MEMBERS)
      const [first, ...others] = members.map(({ read }) => read)
      expect(first?.toSorted()).toEqual(stored.toSorted())
      for (const other of others) expect(other).toEqual(first)
      for (const asked of members) await until(() => areThere(asked, members), 'all are there again')

      const killedAt = performance.now()
      await servers[1]!.kill()
      await until(() => areThere(members[0]!, at(0)), 'the others have left', LEASE_MS + NOTICE_MS)
      const leftMs = performance.now() - killedAt
      for (const asked of at(0)) expect(await areThere(asked, at(0))).toBe(true)
      expect(members.flatMap(({ wrong }) => wrong)).toEqual([])
      expect(await servers[0]!.metric('ackd_exceptions_total')).toBe(0)
      expect((await servers[0]!.kill('SIGTERM')).code).toBe(0)
      for (const { log } of servers) expect(log).not.toContain('a fault of this program')
      process.stdout.write(
        `${stored.length} messages stored, each read by ${MEMBERS} members; the other server heard one within ` +
          `${Math.round(acrossMs)} ms; clients of a dead server left within ${Math.round(leftMs)} ms\n`,
      )
    } finally {
      await Promise.all(members.map(({ client }) => client.close()))
      for (const server of servers) await server.discard()
      await redis.stop()
    }
  },
)
