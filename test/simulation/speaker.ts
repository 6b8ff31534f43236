/**
 * The simplest client of a simulated world: it numbers nothing and keeps nothing. It says some things at once, waits until each of them has an
 * end, and goes on; what it had not heard of when its connection ended it says no more.
 *
 * The server numbers what it says, from 1 on each connection and for each recipient, in the order of sending. So until something is
 * refused the k-th thing that it said has number k, and is held to every word of its receipts; after that only how many are.
 */
import { ordinary } from '../../src/core/rights.ts'
import type { CloseName } from '../../src/protocol/errors.ts'
import type { WelcomeOptions } from '../../src/protocol/frames.ts'
import { toBody } from './letters.ts'
import type { Person } from './person.ts'
import { Wire, type WireEvents } from './wire.ts'
import type { World } from './world.ts'

const encoder = new TextEncoder()
const PATIENCE_MS = 4_000
/** ms that an end may take besides the ack timeout, and besides the 2 s that a sender is promised, what is on its way there and back. */
const SLACK_MS = 2_300
/** Things said at once to one recipient. */
const MOST_AT_ONCE = 3

/** What it said to one recipient over one connection. */
class Talk {
  readonly pair: string
  said = 0
  /** The highest number of which it was told that it is kept or has arrived. */
  top = 0
  refused = 0
  firstRefused = Infinity
  readonly ended = new Set<number>()

  constructor(pair: string) {
    this.pair = pair
  }

  get open(): number {
    return Math.max(0, this.said - this.top - this.refused - [...this.ended].filter(n => n > this.top).length)
  }

  told(n: number): void {
    this.top = Math.max(this.top, n)
  }
}

export class Speaker {
  readonly name: string
  wire: Wire | null = null
  readonly #world: World
  readonly #talks: Talk[] = []
  readonly #current = new Map<string, Talk>()
  #id: string | null = null
  #secret = ''
  #connections = 0
  #left: number
  #isWelcome = false

  constructor(world: World, index: number) {
    this.#world = world
    this.name = `s${index}`
    this.#left = world.scenario.messages
  }

  /** It has said all, and whatever was kept has arrived. */
  get done(): boolean {
    return this.#left === 0 && this.#isAnswered && this.#missing().length === 0
  }

  start(): void {
    this.#connect()
    this.#speak()
  }

  judge(): void {
    for (const missing of this.#missing()) this.#world.history.wrong(`loss: ${missing}`)
  }

  get #isAnswered(): boolean {
    return [...this.#current.values()].every(({ open }) => open === 0)
  }

  /** What it was told of and nobody was shown. */
  #missing(): string[] {
    const { history } = this.#world
    return this.#talks.flatMap(({ pair, said, top, refused, firstRefused, ended }) => {
      const shown = Array.from({ length: said }, (_, k) => k + 1).filter(k => history.wasShown(pair, k))
      const lost = Array.from({ length: Math.min(top, firstRefused - 1) }, (_, k) => k + 1)
        .filter(k => !history.wasShown(pair, k) && !ended.has(k))
        .map(k => `${pair} ${k} was told and never shown`)
      const few = shown.length < top - refused - ended.size
      return few ? [...lost, `${pair}: of ${top} that were told ${shown.length} were shown`] : lost
    })
  }

  #speak(): void {
    const { random, schedule } = this.#world
    if (this.#isWelcome && this.#left > 0 && this.#isAnswered) {
      this.#left--
      for (const person of this.#world.people) if (random.chance(0.4)) this.#sayTo(person)
    }
    if (this.#left > 0) schedule.after(random.between(20, 700), () => this.#speak())
  }

  #sayTo({ id, name }: Person): void {
    const { random, schedule, scenario, history, now } = this.#world
    const open = [...this.#current.values()].reduce((sum, talk) => sum + talk.open, 0)
    if (id === null || open + MOST_AT_ONCE > scenario.sendWindow) return
    let talk = this.#current.get(id)
    if (talk === undefined) {
      talk = new Talk(`${this.name}.${this.#connections}>${name}`)
      this.#current.set(id, talk)
      this.#talks.push(talk)
    }
    const { pair } = talk
    for (let left = random.between(1, MOST_AT_ONCE); left > 0; left--) {
      talk.said++
      this.wire?.send(0, 0, id, 0, toBody({ pair, k: talk.said }))
    }
    const spoken = talk
    const { said } = talk
    const { wire } = this
    schedule.after(scenario.ackTimeoutMs + SLACK_MS, () => {
      if (
        this.wire !== wire ||
        wire?.isCut !== false ||
        spoken.said !== said ||
        history.wasPaused(now, this.#world.now)
      )
        return
      if (spoken.open > 0) history.wrong(`I1: ${spoken.open} of ${pair} up to ${said}, said at ${now}, had no end`)
    })
  }

  // ── connection ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #connect(): void {
    const { random, schedule, nodes, scenario } = this.#world
    const node = random.pick(nodes.filter(({ up }) => up))
    if (node === undefined) return schedule.after(100, () => this.#connect())
    const nonce = random.word(12)
    this.#connections++
    const wire: Wire = new Wire(
      this.#world,
      node,
      this.#events(() => this.wire === wire),
      {
        id: this.#id,
        secretHash: this.#id === null ? null : encoder.encode(this.#secret),
        nonce,
        outbox: nonce,
        numbered: false,
        attempt: 0,
        window: scenario.window,
        name: '',
        rights: ordinary,
      },
    )
    this.wire = wire
    schedule.after(PATIENCE_MS, () => {
      if (this.wire !== wire || this.#isWelcome) return
      wire.hangUp(false)
      this.#lost()
    })
  }

  #lost(): void {
    if (this.wire === null) return
    this.wire = null
    this.#isWelcome = false
    for (const { open } of this.#current.values()) this.#world.history.passedOver += open
    this.#current.clear()
    this.#world.schedule.after(this.#world.random.between(10, 500), () => this.#connect())
  }

  #events(current: () => boolean): WireEvents {
    const heard = (target: string, input: (talk: Talk) => void): void => {
      const talk = this.#current.get(target)
      if (current() && talk !== undefined) input(talk)
    }
    const refused = (target: string, n: number): void =>
      heard(target, talk => {
        talk.refused++
        // It is not said again: who was sent it and had not finished with it may be told that it is missing.
        this.#world.history.passedOver++
        talk.firstRefused = Math.min(talk.firstRefused, n)
      })
    const gone = (): void => {
      if (current()) this.#lost()
    }
    return {
      ...silent,
      welcome: options => {
        if (current()) this.#welcome(options)
      },
      delivered: (target, n) =>
        heard(target, talk => {
          talk.told(n)
          for (let k = 1; k <= n && k < talk.firstRefused; k++)
            if (!talk.ended.has(k)) this.#world.history.delivered(talk.pair, k)
        }),
      stored: (target, n) => heard(target, talk => talk.told(n)),
      ended: (_kind, target, n) => heard(target, talk => talk.ended.add(n)),
      failed: refused,
      retry: refused,
      close: (name: CloseName) => {
        gone()
        if (name === 'bad_secret' || name === 'bad_frame' || name === 'flood')
          this.#world.history.wrong(`${this.name} was closed with ${name}`)
      },
      gone,
    }
  }

  #welcome({ id, secret }: WelcomeOptions): void {
    this.#isWelcome = true
    if (secret !== undefined) this.#secret = secret
    if (this.#id !== null && this.#id !== id) this.#world.history.wrong(`${this.name} lost its id`)
    this.#id = id
  }
}

const silence = (): void => {}

/** Of all else that a server may say it hears nothing. */
const silent = {
  message: silence,
  void: silence,
  reply: silence,
  error: silence,
  room: silence,
  members: silence,
  history: silence,
  signal: silence,
  ping: silence,
  pong: silence,
  unknown: silence,
}
