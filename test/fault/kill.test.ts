/**
 * kill -9, for real: of the only server, again and again while messages are under way, and of clients whose journals outlive them.
 *
 * `FAULT_KILLS` is how often the server is killed in all (`npm run fault:long`), in rounds with a fresh store each, two at a time; `FAULT_SEED` repeats
 * a run as far as the machine lets it: the same messages to the same people, and the same waits between the same kills.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import { Crowd, judge, settled } from './crowd.ts'
import { newRun, Party, type Run } from './parties.ts'

const KILLS = Number(process.env['FAULT_KILLS'] ?? 50)
const KILLS_PER_ROUND = 25
/** Rounds that run side by side, since most of the time of each is waiting for the next kill. */
const AT_A_TIME = 2
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
/** ms from one kill to the next, and for which the server stays away. */
const KILL_EVERY = [300, 1_300] as const
const MAX_AWAY_MS = 500
const PARTY_KILL_EVERY = [500, 3_000] as const
const RECOVERY_LIMIT_MS = 15_000

async function killServer({ server, seed }: Run, kills: number): Promise<void> {
  const random = new Random(seed)
  for (let kill = 0; kill < kills; kill++) {
    await sleep(random.between(...KILL_EVERY))
    await server.kill()
    await sleep(random.between(0, MAX_AWAY_MS))
    await server.start()
  }
}

async function killParties(parties: readonly Party[], seed: number, isOver: () => boolean): Promise<void> {
  const random = new Random(seed + 1)
  while (!isOver()) {
    await sleep(random.between(...PARTY_KILL_EVERY))
    const party = random.pick(parties)
    await party?.kill()
    await party?.start()
  }
}

async function killAll(run: Run, kills: number): Promise<number> {
  const { server, history, seed } = run
  const readers = [new Party('reader', 'rita', run), new Party('reader', 'rolf', run)]
  const writers = [new Party('writer', 'wanda', run), new Party('writer', 'willy', run)]
  const parties = [...readers, ...writers]
  await server.start()
  const crowd = await Crowd.gather({ url: server.url, history, seed, senders: 50, recipients: 20, pauseMs: 120 })
  try {
    await Promise.all(readers.map(reader => reader.start()))
    const readerIds = readers.map(({ id }) => id)
    await Promise.all(writers.map(writer => writer.start([...readerIds, ...crowd.recipients])))
    crowd.begin(readerIds)
    let over = false
    const killing = killParties(parties, seed, () => over)
    await killServer(run, kills).finally(() => (over = true))
    await killing
    await crowd.stop()
    expect(await Promise.all(writers.map(writer => writer.end()))).toEqual([0, 0])
    await settled(run.histories, history)
    expect(await Promise.all(readers.map(reader => reader.end()))).toEqual([0, 0])
    expect(await server.metric('ackd_exceptions_total')).toBe(0)
    expect((await server.kill('SIGTERM')).code).toBe(0)
    expect(server.log).not.toContain('a fault of this program')
    return parties.reduce((sum, party) => sum + party.kills, 0)
  } finally {
    await crowd.stop()
    await crowd.leave()
    for (const party of parties) party.discard()
    await server.discard()
    history.close()
  }
}

async function round(seed: number, kills: number): Promise<void> {
  const run = newRun(seed)
  const clientKills = await killAll(run, kills)
  const title = `seed ${seed}, ${kills} kills of the server and ${clientKills} of clients`
  const { wrong, surfaced, recoveriesMs } = judge(run.histories, title)
  expect(wrong.slice(0, 20), `FAULT_SEED=${seed}; the histories are in ${run.histories}`).toEqual([])
  expect(surfaced).toBeGreaterThan(kills * 40)
  // Counts the restarts after which something arrived before the next kill.
  expect(recoveriesMs.length).toBeGreaterThan(kills / 2)
  expect(Math.max(...recoveriesMs)).toBeLessThan(RECOVERY_LIMIT_MS)
  rmSync(run.directory, { recursive: true })
}

/** One round after the other, each with a part of the kills that are left, until none is left or something was wrong. */
async function rounds(left: { kills: number; seed: number }): Promise<void> {
  while (left.kills > 0) {
    const kills = Math.min(KILLS_PER_ROUND, left.kills)
    left.kills -= kills
    await round(left.seed++, kills)
  }
}

test(
  `a server killed ${KILLS} times under load, and clients killed beside it, lose, repeat and disorder nothing`,
  { timeout: KILLS * 6_000 + 180_000 },
  async () => {
    const left = { kills: KILLS, seed: SEED }
    const lanes = Array.from({ length: AT_A_TIME }, () => rounds(left))
    // One that failed leaves nothing of the others running.
    await Promise.allSettled(lanes)
    await Promise.all(lanes)
  },
)
