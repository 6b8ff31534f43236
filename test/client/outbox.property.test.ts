/** Whatever a server may do within its rules: every message ends once, arrives once, and in order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from '../../src/client/outbox.ts'
import type { OutboxSnapshot } from '../../src/client/outgoing.ts'
import { Mailroom, textBody } from './mailroom.ts'

const targets = ['ann', 'bob', 'cat']
const final = new Set(['delivered', 'rejected', 'expired', 'dead', 'failed', 'forgotten'])

class World {
  readonly room = new Mailroom()
  readonly outcomes = new Map<number, string[]>()
  readonly added: { id: number; target: string; text: string }[] = []
  readonly problems: string[] = []
  outbox: Outbox
  now = 1_000_000
  connected = false
  unwanted = false
  #names = 0
  readonly #maxMessages: number

  constructor(maxMessages: number) {
    this.#maxMessages = maxMessages
    this.outbox = this.#create()
  }

  #create(restore?: OutboxSnapshot): Outbox {
    const events = {
      settled: (message: { id: number }, outcome: { kind: string }) => {
        this.outcomes.set(message.id, [...(this.outcomes.get(message.id) ?? []), outcome.kind])
      },
      changed: () => {},
      reconnect: () => (this.unwanted = true),
    }
    const newName = () => `outbox-${String(this.#names++)}`
    return new Outbox(events, { newName, maxMessages: this.#maxMessages, ...(restore && { restore }) })
  }

  add(which: number): void {
    const target = targets[which % targets.length] ?? ''
    const text = `m${String(this.added.length)}`
    const message = this.outbox.add(target, textBody(text), 0, this.now)
    if (message) this.added.push({ id: message.id, target, text })
    if (this.outbox.count > this.#maxMessages) this.problems.push('more held than allowed')
  }

  connect(): void {
    if (this.connected) return
    this.connected = true
    this.unwanted = false
    this.outbox.opened(this.room.connect(this.outbox.name), this.room.terms, this.now)
  }

  disconnect(): void {
    if (!this.connected) return
    this.connected = false
    this.room.disconnect()
    this.outbox.closed()
  }

  /** The process dies and comes back with what it had written down. */
  restart(): void {
    const restore = this.outbox.snapshot()
    this.disconnect()
    this.outbox = this.#create(restore)
  }

  pass(ms: number): void {
    this.now += ms
    this.outbox.tick(this.now)
    if (this.unwanted) this.disconnect()
  }

  step(action: number, mood: number): void {
    if (action < 25) this.add(mood)
    else if (action < 50) this.room.take(mood)
    else if (action < 75) this.room.answer(this.outbox, this.now)
    else if (action < 83) this.room.drain(targets[mood % 3] ?? '')
    else if (action < 86) this.disconnect()
    else if (action < 90) this.connect()
    else if (action < 91) this.room.backup()
    else if (action < 92) this.#rollBack()
    else if (action < 93) this.room.full = mood % 2 === 0
    else if (action < 94) this.room.storeDown = mood % 2 === 0
    else if (action < 95) this.restart()
    else this.pass(mood * 40)
    if (this.unwanted) this.disconnect()
  }

  /** Only while shadows were not given up: they are what makes up for it. */
  #rollBack(): void {
    if (this.#maxMessages >= 1_000) this.room.rollBack()
  }

  heal(): void {
    this.room.full = false
    this.room.storeDown = false
    for (let round = 0; round < 400 && (this.outbox.count > 0 || !this.room.idle); round++) {
      this.connect()
      for (let i = 0; i < 50 && !this.room.idle; i++) {
        this.room.take(5)
        this.room.answer(this.outbox, this.now)
      }
      for (const target of targets) for (let i = 0; i < 50; i++) this.room.drain(target)
      this.pass(5_000)
    }
  }
}

const run = fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { maxLength: 250, size: 'max' })

function check(steps: [number, number][], maxMessages: number): void {
  const world = new World(maxMessages)
  world.connect()
  for (const [action, mood] of steps) world.step(action, mood)
  world.heal()
  expect(world.problems).toEqual([])
  expect(world.room.faults).toEqual([])
  expect(world.outbox.count).toBe(0)
  expect(world.room.gaps).toBe(0)
  for (const { id } of world.added) {
    const kinds = world.outcomes.get(id) ?? []
    expect(kinds.filter(kind => final.has(kind))).toHaveLength(1)
  }
  for (const target of targets) {
    const mine = world.added.filter(message => message.target === target)
    const due = mine.filter(({ id }) => !world.outcomes.get(id)?.includes('failed')).map(({ text }) => text)
    expect(world.room.shown.get(target) ?? []).toEqual(due)
  }
}

test('every message ends once, and arrives once and in order unless it failed, though the store rolls back', () => {
  fc.assert(
    fc.property(run, steps => check(steps, 1_000)),
    { numRuns: 2_000 },
  )
})

test('the same with room for few messages, where shadows are given up', () => {
  fc.assert(
    fc.property(run, steps => check(steps, 12)),
    { numRuns: 1_000 },
  )
})
