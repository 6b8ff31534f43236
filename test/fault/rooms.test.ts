/**
 * kill -9 of the only server, again and again, while ten clients publish to a room of which all are members: whatever was told stored is
 * read by every member, once, and in one order.
 *
 * The members are the client library. `FAULT_ROOM_KILLS` is how often the server is killed; `FAULT_SEED` repeats the waits between.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import { Member } from './member.ts'
import { ServerProcess } from './server.ts'

const KILLS = Number(process.env['FAULT_ROOM_KILLS'] ?? 6)
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
const MEMBERS = 10
const ROOM = '#lobby'
/** ms */
const KILL_EVERY = [300, 1_200] as const
const MAX_AWAY_MS = 500
const QUIET_MS = 60_000

test(
  `what was told stored in a room whose server is killed ${KILLS} times is read by every member, once and in one order (seed ${SEED})`,
  { timeout: KILLS * 10_000 + 180_000 },
  async () => {
    process.stdout.write(`faults: FAULT_ROOM_KILLS=${KILLS} FAULT_SEED=${SEED}\n`)
    const directory = mkdtempSync(join(tmpdir(), 'ackd-rooms-'))
    const server = new ServerProcess(directory, ['--room-messages', '100000'])
    const random = new Random(SEED)
    await server.start()
    const members = Array.from({ length: MEMBERS }, (_, i) => new Member(server.url, `m${i}`))
    try {
      await Promise.all(members.map(member => member.enter(ROOM)))
      let over = false
      const publishing = Promise.all(members.map(member => member.publish(() => over)))
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(random.between(...KILL_EVERY))
        await server.kill()
        await sleep(random.between(0, MAX_AWAY_MS))
        await server.start()
      }
      over = true
      await publishing
      await Promise.all(members.map(member => member.settled()))
      const stored = members.flatMap(member => member.stored)
      const end = performance.now() + QUIET_MS
      while (performance.now() < end && members.some(({ read }) => read.length < stored.length)) await sleep(50)

      expect(members.flatMap(({ wrong }) => wrong)).toEqual([])
      expect(stored.length).toBeGreaterThan(KILLS * MEMBERS)
      const [first, ...others] = members.map(({ read }) => read)
      expect(first?.toSorted()).toEqual(stored.toSorted())
      for (const other of others) expect(other).toEqual(first)
      expect(await server.metric('ackd_exceptions_total')).toBe(0)
      expect((await server.kill('SIGTERM')).code).toBe(0)
      expect(server.log).not.toContain('a fault of this program')
      process.stdout.write(`${stored.length} messages stored, each read by ${MEMBERS} members\n`)
    } finally {
      await Promise.all(members.map(({ client }) => client.close()))
      await server.discard()
      rmSync(directory, { recursive: true, force: true })
    }
  },
)
