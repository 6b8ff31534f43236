/** A room with a short memory, a connection that comes and goes, a server whose answers take their time: nothing is shown twice, out of order or left out in silence. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Feed, type RoomMessage } from '../../../src/client/rooms/feed.ts'

/** With how often each comes. */
const steps = {
  publish: 5,
  'publish ten': 1,
  forget: 1,
  'forget all': 1,
  cut: 2,
  join: 3,
  'join without replay': 3,
  deliver: 8,
  answer: 5,
  handle: 5,
  lose: 1,
  restart: 1,
} as const
type Step = keyof typeof steps

/** What is on its way to the client, in order. */
type Frame =
  | { readonly kind: 'room'; readonly message: RoomMessage }
  | { readonly kind: 'joined'; readonly offset: number; readonly epoch: string; readonly recovered: boolean }
  | { readonly kind: 'page'; readonly messages: readonly RoomMessage[]; readonly epoch: string }

class World {
  readonly shown: RoomMessage[] = []
  /** `epoch offset` of what was told to be gone. */
  readonly told = new Set<string>()
  /** Messages told to be gone that the log still has. */
  falseGaps = 0
  readonly log: RoomMessage[] = []
  /** The number of the last message before the client joined; those after it are to be shown. */
  base = Infinity
  epoch = 1
  #first = 1
  #last = 0
  #n = 0
  #member = false
  #wire: Frame[] = []
  #questions: { readonly after: number; readonly limit: number }[] = []
  #cursor: { readonly epoch: string; readonly offset: number } | null = null
  #feed = this.#create()

  do(step: Step): void {
    switch (step) {
      case 'publish':
        return this.#publish()
      case 'publish ten':
        for (let i = 0; i < 10; i++) this.#publish()
        return
      case 'forget':
        this.#first = Math.min(this.#first + 3, this.#last + 1)
        return
      case 'forget all':
        this.#first = this.#last + 1
        return
      case 'cut':
        return this.#cut()
      case 'join':
        return this.#join(true)
      case 'join without replay':
        return this.#join(false)
      case 'deliver':
        return this.#deliver()
      case 'answer':
        return this.#answer()
      case 'handle':
        return this.#feed.handled(0)
      case 'lose':
        return this.#lose()
      case 'restart':
        this.#cut()
        this.#feed.stop()
        this.#feed = this.#create()
    }
  }

  settle(): void {
    for (let i = 0; i < 2_000; i++) {
      if (!this.#member) this.#join(true)
      this.#answer()
      this.#deliver()
      this.#feed.handled(0)
    }
  }

  /** Messages of the log that were neither shown nor told to be gone. */
  get missing(): string[] {
    const shown = new Set(this.shown.map(({ n }) => n))
    const left = this.log.filter(({ n }) => n > this.base && !shown.has(n))
    return left.map(({ offset }) => `${this.epoch} ${offset}`).filter(name => !this.told.has(name))
  }

  #create(): Feed {
    const feed = new Feed(
      '#room',
      {
        show: message => this.shown.push(message),
        gap: (first, last) => {
          for (let offset = first; offset <= last; offset++) this.told.add(`${feed.epoch} ${offset}`)
          const there = feed.epoch === String(this.epoch) ? this.#kept(first - 1) : []
          this.falseGaps += there.filter(({ offset }) => offset <= last).length
        },
        lost: () => {},
        recorded: cursor => (this.#cursor = cursor),
        rejoin: () => (this.#member = false),
        ask: (after, limit) => this.#questions.push({ after, limit }),
      },
      this.#cursor,
    )
    feed.start(0)
    return feed
  }

  #publish(n = ++this.#n): void {
    const offset = ++this.#last
    const message = { room: '#room', offset, from: 'alice', outbox: 'box', n, time: 0, body: n }
    this.log.push(message)
    if (this.#member) this.#wire.push({ kind: 'room', message })
  }

  #cut(): void {
    this.#member = false
    this.#wire = []
    this.#questions = []
    this.#feed.closed()
  }

  #join(mayReplay: boolean): void {
    if (this.#member) return
    this.#member = true
    const { since } = this.#feed
    const [epoch, last] = [String(this.epoch), this.#last]
    const reaches =
      mayReplay && since !== null && since.epoch === epoch && since.offset <= last && since.offset + 1 >= this.#first
    if (reaches) for (const message of this.#kept(since.offset)) this.#wire.push({ kind: 'room', message })
    this.#wire.push({ kind: 'joined', offset: last, epoch, recovered: reaches })
  }

  #deliver(): void {
    const frame = this.#wire.shift()
    if (frame?.kind === 'room') this.#feed.message(frame.message, 10, 0)
    else if (frame?.kind === 'joined') {
      if (this.base === Infinity) this.base = this.log.filter(({ offset }) => offset <= frame.offset).at(-1)?.n ?? 0
      this.#feed.joined(frame.offset, frame.epoch, frame.recovered, 0)
    } else if (frame?.kind === 'page') this.#feed.page(frame.messages, frame.epoch, 0)
  }

  #answer(): void {
    const question = this.#questions.shift()
    if (question === undefined) return
    const messages = this.#kept(question.after).slice(0, question.limit)
    this.#wire.push({ kind: 'page', messages, epoch: String(this.epoch) })
  }

  /** The log is lost, and the server sends its members away. The publisher offers again what it still holds. */
  #lose(): void {
    this.#cut()
    this.epoch++
    const offered = this.log.splice(0).slice(-3)
    this.#first = 1
    this.#last = 0
    for (const { n } of offered) this.#publish(n)
  }

  #kept(after: number): RoomMessage[] {
    return this.log.filter(({ offset }) => offset > after && offset >= this.#first)
  }
}

const anyStep = fc.oneof(
  ...Object.entries(steps).map(([step, weight]) => ({ weight, arbitrary: fc.constant(step as Step) })),
)

test('a feed shows what its room has, once and in order, and tells the rest', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 120 }), schedule => {
      const world = new World()
      for (const step of schedule) world.do(step)
      world.settle()
      expect(world.missing).toEqual([])
      expect(world.falseGaps).toBe(0)
      const order = world.shown.map(({ n }) => n)
      // A process that dies while a handler is at work is shown that one message again.
      const restarts = schedule.filter(step => step === 'restart').length
      expect(order.length - new Set(order).size).toBeLessThanOrEqual(restarts)
      if (restarts === 0) expect(order).toEqual([...order].sort((a, b) => a - b))
    }),
    { numRuns: 2_000 },
  )
})
