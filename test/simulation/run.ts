/** Runs seeded worlds: `npx tsx test/simulation/run.ts [count] [first seed] [rooms|remade|forgetful|rough|fair|crowded|lively|speaking]` prints what is wrong with which seed. */
import {
  crowdedScenarios,
  fairScenarios,
  forgetfulScenarios,
  livelyScenarios,
  remadeScenarios,
  roomScenarios,
  roughScenarios,
  speakingScenarios,
  scenarios,
  type Scenario,
} from './scenarios.ts'
import { World } from './world.ts'

export interface Verdict {
  readonly seed: number
  readonly wrong: readonly string[]
}

/** Worlds with a room; see `runWorlds`. */
export function runRooms(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, roomScenarios)
}

/** Worlds whose room is deleted, and made anew for others; see `runWorlds`. */
export function runRemade(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, remadeScenarios)
}

/** Worlds on nodes that remember next to nothing; see `runWorlds`. */
export function runForgetful(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, forgetfulScenarios)
}

/** Worlds in which limits are reached all the time, and clocks jump; see `runWorlds`. */
export function runRough(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, roughScenarios)
}

/** Worlds in which no word gets lost; see `runWorlds`. */
export function runFair(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, fairScenarios)
}

/** Worlds in which many write to many; see `runWorlds`. */
export function runCrowded(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, crowdedScenarios)
}

/** Worlds whose clients do as they like; see `runWorlds`. */
export function runLively(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, livelyScenarios)
}

/** Worlds with clients that number nothing; see `runWorlds`. */
export function runSpeaking(first: number, count: number, most = 5): Verdict[] {
  return runWorlds(first, count, most, speakingScenarios)
}

/** Runs `count` worlds from `first` on; stops after `most` red ones. A thrown assertion is a red world too. */
export function runWorlds(first: number, count: number, most = 5, worlds = scenarios): Verdict[] {
  const red: Verdict[] = []
  for (let seed = first; seed < first + count && red.length < most; seed++) {
    const wrong = runWorld(seed, worlds)
    if (wrong.length > 0) red.push({ seed, wrong })
  }
  return red
}

export function runWorld(seed: number, worlds: readonly Scenario[] = scenarios): readonly string[] {
  const scenario = worlds[seed % worlds.length]
  if (scenario === undefined) throw new RangeError('a seed is a whole number from 0')
  try {
    return new World(seed, scenario).run()
  } catch (thrown) {
    return [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)]
  }
}

if (process.argv[1]?.endsWith('simulation/run.ts') === true) {
  const count = Number(process.argv[2] ?? 1_000)
  const first = Number(process.argv[3] ?? 1)
  const since = performance.now()
  const named: Readonly<Record<string, readonly Scenario[]>> = {
    rooms: roomScenarios,
    remade: remadeScenarios,
    forgetful: forgetfulScenarios,
    rough: roughScenarios,
    fair: fairScenarios,
    crowded: crowdedScenarios,
    lively: livelyScenarios,
    speaking: speakingScenarios,
  }
  const worlds = named[process.argv[4] ?? ''] ?? scenarios
  const red = runWorlds(first, count, 5, worlds)
  for (const { seed, wrong } of red) process.stdout.write(`seed ${seed}: ${wrong.slice(0, 5).join('\n  ')}\n`)
  const ms = Math.round(performance.now() - since)
  process.stdout.write(`${count} schedules from seed ${first}: ${red.length} red, ${ms} ms\n`)
}
