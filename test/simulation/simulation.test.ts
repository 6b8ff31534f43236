/**
 * 20,000 seeded worlds, or as many as `ACKD_SCHEDULES` says, from `ACKD_SEED` on (else from the day, so that every day tries others), and an
 * eighth of that many with a room, an eighth of those with one that is deleted and made anew, as many with narrow limits and clocks that jump, and an
 * eighth of all on nodes that remember next to nothing of an idle stream, a twentieth in which no word gets lost, a few in which many write to many, and some
 * whose clients do as they like or number nothing.
 * A red seed is printed; it then belongs into `regressions.ts`, where it is run every time.
 */
import { describe, expect, it } from 'vitest'
import {
  crowdedRegressions,
  forgetfulRegressions,
  livelyRegressions,
  regressions,
  speakingRegressions,
} from './regressions.ts'
import {
  runCrowded,
  runFair,
  runForgetful,
  runLively,
  runRemade,
  runRooms,
  runRough,
  runSpeaking,
  runWorld,
  runWorlds,
} from './run.ts'

const schedules = Number(process.env['ACKD_SCHEDULES'] ?? 20_000)
const rooms = Math.ceil(schedules / 8)
const fair = Math.ceil(schedules / 20)
const remade = Math.ceil(rooms / 8)
const crowded = Math.ceil(schedules / 2_000)
const lively = Math.ceil(schedules / 200)
const speaking = Math.ceil(schedules / 100)
const first = Number(process.env['ACKD_SEED'] ?? Math.floor(Date.now() / 86_400_000) * 100_000)

describe('no message that got a receipt is lost, shown twice or out of order', () => {
  it.each(regressions)('seed $seed: $story', ({ seed }) => {
    expect(runWorld(seed)).toEqual([])
  })

  it.each(forgetfulRegressions)('seed $seed on forgetful nodes: $story', ({ seed }) => {
    expect(runForgetful(seed, 1)).toEqual([])
  })

  it.each(crowdedRegressions)('seed $seed of a crowd: $story', ({ seed }) => {
    expect(runCrowded(seed, 1)).toEqual([])
  })

  it.each(livelyRegressions)('seed $seed of clients that do as they like: $story', ({ seed }) => {
    expect(runLively(seed, 1)).toEqual([])
  })

  it.each(speakingRegressions)('seed $seed of clients without numbers: $story', ({ seed }) => {
    expect(runSpeaking(seed, 1)).toEqual([])
  })

  it(`${schedules} schedules from seed ${first}`, { timeout: Math.max(300_000, schedules * 30) }, () => {
    process.stdout.write(`simulation: ${schedules} schedules from seed ${first}\n`)
    expect(runWorlds(first, schedules)).toEqual([])
  })

  it(`${rooms} schedules with a room from seed ${first}`, { timeout: Math.max(300_000, rooms * 60) }, () => {
    process.stdout.write(`simulation: ${rooms} schedules with a room from seed ${first}\n`)
    expect(runRooms(first, rooms)).toEqual([])
  })

  it(
    `${remade} schedules whose room is made anew from seed ${first}`,
    { timeout: Math.max(300_000, remade * 60) },
    () => {
      process.stdout.write(`simulation: ${remade} schedules whose room is made anew from seed ${first}\n`)
      expect(runRemade(first, remade)).toEqual([])
    },
  )

  it(
    `${remade} schedules with narrow limits and clocks that jump from seed ${first}`,
    { timeout: Math.max(300_000, remade * 60) },
    () => {
      process.stdout.write(
        `simulation: ${remade} schedules with narrow limits and clocks that jump from seed ${first}\n`,
      )
      expect(runRough(first, remade)).toEqual([])
    },
  )

  it(`${rooms} schedules on forgetful nodes from seed ${first}`, { timeout: Math.max(300_000, rooms * 60) }, () => {
    process.stdout.write(`simulation: ${rooms} schedules on forgetful nodes from seed ${first}\n`)
    expect(runForgetful(first, rooms)).toEqual([])
  })

  it(
    `${fair} schedules in which senders are told without asking from seed ${first}`,
    { timeout: Math.max(300_000, fair * 60) },
    () => {
      process.stdout.write(
        `simulation: ${fair} schedules in which senders are told without asking from seed ${first}\n`,
      )
      expect(runFair(first, fair)).toEqual([])
    },
  )

  it(
    `${crowded} schedules in which everybody writes to everybody from seed ${first}`,
    { timeout: Math.max(300_000, crowded * 600) },
    () => {
      process.stdout.write(
        `simulation: ${crowded} schedules in which everybody writes to everybody from seed ${first}\n`,
      )
      expect(runCrowded(first, crowded)).toEqual([])
    },
  )

  it(
    `${lively} schedules of clients that do as they like from seed ${first}`,
    { timeout: Math.max(300_000, lively * 60) },
    () => {
      process.stdout.write(`simulation: ${lively} schedules of clients that do as they like from seed ${first}\n`)
      expect(runLively(first, lively)).toEqual([])
    },
  )

  it(
    `${speaking} schedules of clients without numbers from seed ${first}`,
    { timeout: Math.max(300_000, speaking * 60) },
    () => {
      process.stdout.write(`simulation: ${speaking} schedules of clients without numbers from seed ${first}\n`)
      expect(runSpeaking(first, speaking)).toEqual([])
    },
  )
})
