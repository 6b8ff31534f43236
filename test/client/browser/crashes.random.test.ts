/**
 * Tabs that hang, freeze and die in any step of a write, at random, while messages go in both directions.
 *
 * A tab that hangs hears nothing and goes on as if it led; short hangs are words, locks and packets that are late. A tab that dies in the
 * midst of a transaction has written all of it or nothing, and does not know which.
 */
import { expect, test } from 'vitest'
import type { Step } from '../databases.ts'
import { atBob, bob, bobId, Page, settle, until } from '../pages.ts'

const STEPS: readonly Step[] = ['before', 'midst', 'after']
/** So many seeds, from this one on. */
const [COUNT = 8, FIRST = 1] = (process.env['TAB_SEEDS'] ?? '8').split('/').map(Number)
const SEEDS = Array.from({ length: COUNT }, (_, i) => FIRST + i)
const ACTIONS = 200
const MAX_TABS = 6

/** One run, and what is known of it. */
class Run {
  readonly everybody: Page[] = []
  readonly sent = new Map<Page, string[]>()
  readonly receipted = new Set<string>()
  readonly toTabs: Promise<unknown>[] = []
  id = ''
  readonly #held = new Set<() => void>()
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  get living(): readonly Page[] {
    return this.everybody.filter(({ tab }) => !tab.dead)
  }

  random(below: number): number {
    this.#state = (this.#state * 1_103_515_245 + 12_345) & 0x7fffffff
    return (this.#state >>> 8) % below
  }

  open(): void {
    const page = new Page({ askMs: 40 })
    this.everybody.push(page)
    this.sent.set(page, [])
  }

  act(step: number): void {
    const action = this.random(25)
    const page = action >= 16 && action < 19 ? this.#leader : this.living[this.random(this.living.length)]
    if (page === undefined || (action === 23 && this.living.length < MAX_TABS)) this.open()
    else if (action < 11) this.#send(page, step)
    else if (action < 16) this.toTabs.push(bob.send(this.id, step))
    else if (action < 19)
      this.#stop(
        () => page.tab.hang(),
        () => page.tab.unhang(),
        this.random(3) === 0 ? 5 : 600,
      )
    else if (action < 21)
      this.#stop(
        () => page.tab.freeze(),
        () => page.tab.resume(),
        30,
      )
    else if (this.random(2) === 0) page.tab.doom(STEPS[this.random(3)] ?? 'midst', this.random(5))
  }

  /** Most probably. */
  get #leader(): Page | undefined {
    return [...this.living].sort((a, b) => b.openedAt - a.openedAt)[0]
  }

  /** Everything goes on that was stopped. */
  release(): void {
    for (const end of [...this.#held]) end()
  }

  #send(page: Page, step: number): void {
    const body = `${this.everybody.indexOf(page)} ${step}`
    this.sent.get(page)?.push(body)
    page.client.send(bobId, body).then(
      () => this.receipted.add(body),
      () => {},
    )
  }

  #stop(begin: () => void, end: () => void, ms: number): void {
    begin()
    const timer = setTimeout(() => release(), this.random(ms))
    const release = (): void => {
      clearTimeout(timer)
      this.#held.delete(release)
      end()
    }
    this.#held.add(release)
  }
}

test.each(SEEDS)(
  'what was receipted arrives, everything once and in order, and no tab shows anything twice (%i)',
  async seed => {
    const run = new Run(seed)
    run.open()
    run.id = (await run.everybody[0]?.client.ready()) ?? ''
    for (let step = 0; step < ACTIONS; step++) {
      run.act(step)
      if (run.random(3) === 0) await new Promise(resolve => setTimeout(resolve, run.random(20)))
    }
    run.release()
    run.open()
    await until(() => run.living.every(page => page.state === 'connected'), 'all that live are connected')
    await Promise.all(run.toTabs)
    const last = run.living.at(-1)
    await last?.client.send(bobId, 'the last')
    const shownByAny = (): Set<unknown> => new Set(run.everybody.flatMap(({ shown }) => shown))
    await until(() => shownByAny().size === run.toTabs.length, 'all is shown')
    const due = (): string[] => [...run.receipted, ...run.living.flatMap(page => run.sent.get(page) ?? [])]
    await until(() => due().every(body => atBob.includes(body)), 'what was receipted, or is of who lives, arrives')
    await settle()
    for (const [page, sent] of run.sent) {
      const own = `${run.everybody.indexOf(page)} `
      const arrived = atBob.filter(body => String(body).startsWith(own))
      // A tab that died takes with it what it had not written yet: the last of what it sent, and nothing from before.
      expect(arrived).toEqual(sent.slice(0, arrived.length))
      const numbers = page.shown.map(Number)
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    }
  },
)
