/** Whatever a server may do within its rules: everything is shown once, in order, and acked only when it is dealt with. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Inbox } from '../../src/client/inbox.ts'
import { textBody } from './bodies.ts'

const streams = ['ann', 'bob', 'cat']
const window = 4

interface Entry {
  from: string
  n: number
}

/** Holds what is not acked, in the order in which it was accepted, and sends all of it again on each connection. */
class World {
  readonly shown = new Map<string, number[]>()
  readonly problems: string[] = []
  inbox: Inbox
  #mailbox: Entry[] = []
  /** The last ones that were acked: another node may not have heard of it. */
  #acked: Entry[] = []
  #sent: Entry[] = []
  #seq = 0
  #ackedSeq = 0
  #numbers = new Map<string, number>()
  #dealtWith = new Set<string>()
  #atWork: Entry | null = null
  #connected = false

  constructor() {
    this.inbox = new Inbox({
      show: ({ from, n }) => {
        if (this.#atWork) this.problems.push('two at a time')
        this.#atWork = { from, n }
        this.shown.set(from, [...(this.shown.get(from) ?? []), n])
      },
      gap: (from, _outbox, first, last) => this.problems.push(`gap ${from} ${first}-${last}`),
      recorded: ({ from, n }) => this.#dealtWith.add(`${from} ${n}`),
      reconnect: reason => this.problems.push(reason),
    })
    this.inbox.start()
    this.connect(false)
  }

  get idle(): boolean {
    return this.#mailbox.length === 0
  }

  accept(which: number): void {
    const from = streams[which % streams.length] ?? ''
    const n = (this.#numbers.get(from) ?? 0) + 1
    this.#numbers.set(from, n)
    this.#mailbox.push({ from, n })
  }

  /** `forgetful`: acks of a moment ago did not reach the store. */
  connect(forgetful: boolean): void {
    this.inbox.closed()
    if (forgetful) this.#mailbox = [...this.#acked, ...this.#mailbox]
    this.#acked = []
    this.#sent = []
    this.#seq = this.#ackedSeq = 0
    this.#connected = true
    this.inbox.opened({ ack: seq => this.#ack(seq), nack: seq => this.#ack(seq) }, window, 'me')
  }

  disconnect(): void {
    this.#connected = false
    this.inbox.closed()
  }

  send(): void {
    const entry = this.#mailbox[this.#sent.length]
    if (!this.#connected || !entry || this.#sent.length >= window) return
    this.#sent.push(entry)
    this.inbox.message(++this.#seq, entry.from, 'outbox-a', entry.n, 0, 0, textBody('x'))
  }

  finish(refuse: boolean): void {
    if (!this.#atWork) return
    this.#atWork = null
    if (refuse) this.inbox.refused('no')
    else this.inbox.handled()
  }

  #ack(seq: number): void {
    if (seq > this.#seq || seq <= this.#ackedSeq) this.problems.push(`ack ${seq}`)
    const gone = this.#sent.splice(0, seq - this.#ackedSeq)
    this.#ackedSeq = seq
    for (const { from, n } of gone) {
      if (!this.#dealtWith.has(`${from} ${n}`)) this.problems.push(`acked ${from} ${n} too early`)
    }
    this.#mailbox.splice(0, gone.length)
    this.#acked = [...this.#acked, ...gone].slice(-3)
  }

  step(action: number, mood: number): void {
    if (action < 30) this.accept(mood)
    else if (action < 60) this.send()
    else if (action < 80) this.finish(mood % 5 === 0)
    else if (action < 90) this.inbox.flush()
    else if (action < 94) this.disconnect()
    else this.connect(mood % 2 === 0)
  }

  heal(): void {
    this.connect(false)
    for (let i = 0; i < 2_000 && !this.idle; i++) {
      this.send()
      this.finish(false)
      this.inbox.flush()
    }
  }

  get due(): Map<string, number[]> {
    return new Map([...this.#numbers].map(([from, n]) => [from, Array.from({ length: n }, (_, i) => i + 1)]))
  }
}

test('everything is shown once, in order, and acked only when it is dealt with', () => {
  const run = fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { maxLength: 300, size: 'max' })
  fc.assert(
    fc.property(run, steps => {
      const world = new World()
      for (const [action, mood] of steps) world.step(action, mood)
      world.heal()
      expect(world.problems).toEqual([])
      expect(world.idle).toBe(true)
      expect(new Map([...world.shown].sort())).toEqual(new Map([...world.due].sort()))
    }),
    { numRuns: 2_000 },
  )
})
