/** Runs seeded worlds: `npx tsx test/simulation/run.ts [count] [first seed]` prints what is wrong with which seed. */
import { scenarios, World } from './world.ts'

export interface Verdict {
  readonly seed: number
  readonly wrong: readonly string[]
}

/** Runs `count` worlds from `first` on; stops after `most` red ones. A thrown assertion is a red world too. */
export function runWorlds(first: number, count: number, most = 5): Verdict[] {
  const red: Verdict[] = []
  for (let seed = first; seed < first + count && red.length < most; seed++) {
    const wrong = runWorld(seed)
    if (wrong.length > 0) red.push({ seed, wrong })
  }
  return red
}

export function runWorld(seed: number): readonly string[] {
  const scenario = scenarios[seed % scenarios.length]
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
  const red = runWorlds(first, count)
  for (const { seed, wrong } of red) process.stdout.write(`seed ${seed}: ${wrong.slice(0, 5).join('\n  ')}\n`)
  const ms = Math.round(performance.now() - since)
  process.stdout.write(`${count} schedules from seed ${first}: ${red.length} red, ${ms} ms\n`)
}
