import { describe, expect, it } from 'vitest'
import { crowdMutations } from './crowd-mutations.ts'
import { fairMutations } from './fair-mutations.ts'
import { forgettingMutations } from './forgetting-mutations.ts'
import { livelyMutations } from './lively-mutations.ts'
import { mutate } from './mutate.ts'
import { mutations } from './mutations.ts'
import { remadeMutations, roomMutations } from './room-mutations.ts'
import { speakingMutations } from './speaking-mutations.ts'
import type { Verdict } from './run.ts'

describe('with one rule off, the simulation goes red', () => {
  it.each(mutations)('$rule', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runWorlds(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(forgettingMutations)('$rule (forgetful nodes)', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runForgetful(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(fairMutations)('$rule (no word lost)', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runFair(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(crowdMutations)('$rule (a crowd)', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runCrowded(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(livelyMutations)('$rule (clients that do as they like)', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runLively(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(speakingMutations)('$rule (clients without numbers)', async ({ edits, from, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runSpeaking(from, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(roomMutations)('$rule (rooms)', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runRooms(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })

  it.each(remadeMutations)('$rule (rooms made anew)', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runRemade(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    say(red)
  })
})

function say([first]: readonly Verdict[]): void {
  process.stdout.write(`red at seed ${first?.seed ?? 0}: ${first?.wrong[0]?.split('\n')[0] ?? ''}\n`)
}
