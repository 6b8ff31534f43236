import { describe, expect, it } from 'vitest'
import { mutate } from './mutate.ts'
import { mutations } from './mutations.ts'

describe('with one rule off, the simulation goes red', () => {
  it.each(mutations)('$rule', async ({ edits, within }) => {
    const { run, remove } = await mutate(edits)
    const red = run.runWorlds(1, within, 1)
    await remove()
    expect(red.length).toBeGreaterThan(0)
    process.stdout.write(`red at seed ${red[0]?.seed ?? 0}: ${red[0]?.wrong[0]?.split('\n')[0] ?? ''}\n`)
  })
})
