/** Tabs that come and go at random, while messages go in both directions. */
import { describe, expect, test } from 'vitest'
import { atBob, bob, bobId, Page, settle, until } from '../pages.ts'

describe('whoever sleeps, closes or dies when', () => {
  const SEEDS = [1, 2, 3, 4, 5, 6]

  test.each(SEEDS)('everything arrives once and in order, and no tab shows anything twice (%i)', async seed => {
    let state = seed
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
      return (state >>> 8) % below
    }
    const everybody = [new Page(), new Page()]
    const living = [...everybody]
    const id = await everybody[0]?.client.ready()
    const sent: string[] = []
    const toTabs: Promise<unknown>[] = []
    for (let step = 0; step < 120; step++) {
      const page = living[random(living.length)]
      const action = random(20)
      if (action < 10 && page !== undefined) {
        const body = `${everybody.indexOf(page)} ${step}`
        sent.push(body)
        page.client.send(bobId, body).catch(() => {})
      } else if (action < 15) {
        toTabs.push(bob.send(id ?? '', step))
      } else if (living.length < 2 || action === 15) {
        const next = new Page()
        everybody.push(next)
        living.push(next)
      } else if (page !== undefined) {
        living.splice(living.indexOf(page), 1)
        if (action === 16) page.tab.sleep()
        // What was written in this very turn of the loop is still the page's own.
        await settle()
        if (action !== 17) page.kill()
        else void page.client.close({ flushMs: 0 })
      }
      if (random(3) === 0) await new Promise(resolve => setTimeout(resolve, random(5)))
    }
    if (living.length === 0) living.push(new Page())
    await Promise.all(toTabs)
    await until(() => new Set(atBob).size === sent.length, 'all arrives')
    await until(() => living.every(page => page.state === 'connected'))
    await settle()
    expect(atBob).toHaveLength(sent.length)
    for (const [i] of everybody.entries()) {
      const own = (body: unknown): boolean => String(body).startsWith(`${i} `)
      expect(atBob.filter(own)).toEqual(sent.filter(own))
    }
    for (const { shown } of everybody) {
      const numbers = shown.map(Number)
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    }
    const shown = new Set(everybody.flatMap(page => page.shown))
    expect(shown.size).toBe(toTabs.length)
  })
})
