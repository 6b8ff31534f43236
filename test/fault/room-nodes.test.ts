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
import { endWell, Publishers } from './publishers.ts'
import { ServerProcess, until } from './server.ts'

const KILLS = Number(process.env['FAULT_NODE_KILLS'] ?? 4)
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
/** ms */
const KILL_EVERY = [400, 1_500] as const
const MAX_AWAY_MS = 500
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
    const publishers = new Publishers(servers)
    const { members } = publishers
    try {
      await publishers.enter()
      await publishers.areThere(members, members)

      // Far less than the ten seconds after which a node looks by itself.
      const since = performance.now()
      const [sender, hearer] = [members[0]!, members[1]!]
      await sender.say('at once')
      await until(() => hearer.read.includes('at once'), 'a message reaches the other server', 5_000)
      const acrossMs = performance.now() - since

      await publishers.publishWhile(async () => {
        for (let kill = 0; kill < KILLS; kill++) {
          await sleep(random.between(...KILL_EVERY))
          const server = servers[kill % 2]!
          await server.kill()
          await sleep(random.between(0, MAX_AWAY_MS))
          await server.start()
        }
      })
      await publishers.haveReadAlike()
      const { stored } = publishers
      expect(stored.length).toBeGreaterThan(KILLS * members.length)
      await publishers.areThere(members, members)

      const killedAt = performance.now()
      await servers[1]!.kill()
      await publishers.areThere(publishers.at(0), publishers.at(0), LEASE_MS + NOTICE_MS)
      const leftMs = performance.now() - killedAt
      expect(members.flatMap(({ wrong }) => wrong)).toEqual([])
      await endWell(servers[0]!)
      expect(servers[1]!.log).not.toContain('a fault of this program')
      process.stdout.write(
        `${stored.length} messages stored, each read by ${members.length} members; the other server heard one within ` +
          `${Math.round(acrossMs)} ms; clients of a dead server left within ${Math.round(leftMs)} ms\n`,
      )
    } finally {
      await publishers.leave()
      for (const server of servers) await server.discard()
      await redis.stop()
    }
  },
)
