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
import { endWell, Publishers } from './publishers.ts'
import { ServerProcess } from './server.ts'

const KILLS = Number(process.env['FAULT_ROOM_KILLS'] ?? 6)
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
/** ms */
const KILL_EVERY = [300, 1_200] as const
const MAX_AWAY_MS = 500

test(
  `what was told stored in a room whose server is killed ${KILLS} times is read by every member, once and in one order (seed ${SEED})`,
  { timeout: KILLS * 10_000 + 180_000 },
  async () => {
    process.stdout.write(`faults: FAULT_ROOM_KILLS=${KILLS} FAULT_SEED=${SEED}\n`)
    const directory = mkdtempSync(join(tmpdir(), 'ackd-rooms-'))
    const server = new ServerProcess(directory, ['--room-messages', '100000'])
    const random = new Random(SEED)
    await server.start()
    const publishers = new Publishers([server])
    try {
      await publishers.enter()
      await publishers.publishWhile(async () => {
        for (let kill = 0; kill < KILLS; kill++) {
          await sleep(random.between(...KILL_EVERY))
          await server.kill()
          await sleep(random.between(0, MAX_AWAY_MS))
          await server.start()
        }
      })
      await publishers.haveReadAlike()
      const { members, stored } = publishers
      expect(stored.length).toBeGreaterThan(KILLS * members.length)
      await endWell(server)
      process.stdout.write(`${stored.length} messages stored, each read by ${members.length} members\n`)
    } finally {
      await publishers.leave()
      await server.discard()
      rmSync(directory, { recursive: true, force: true })
    }
  },
)
