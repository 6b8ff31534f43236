/** What a check is, and the world in which it runs: connections of one transport, in one encoding, to the server that is judged. */
import { isDeepStrictEqual } from 'node:util'
import { Speaker, Violation, type Frame, type OpenWire } from './speaker.ts'

export interface Check {
  /** Of the protocol page. */
  readonly clause: string
  /** What the server does, in the present tense. */
  readonly does: string
  /** Where it makes sense; everywhere when absent. */
  readonly on?: (world: World) => boolean
  readonly run: (world: World) => Promise<void>
}

/** A speaker that was welcomed. */
export interface Member {
  readonly speaker: Speaker
  readonly id: string
  readonly secret: string
  readonly outbox: string
  /** What the server said in welcome. */
  readonly welcome: Readonly<Record<string, unknown>>
}

let outboxes = 0

/** A name that no other outbox of this run has. */
export function newOutbox(): string {
  return `conformance-${(++outboxes).toString(36)}-${Math.random().toString(36).slice(2, 10)}`
}

export class World {
  readonly text: boolean
  /** A stream of bytes: TCP or TLS. */
  readonly stream: boolean
  readonly #openWire: OpenWire
  readonly #speakers: Speaker[] = []

  constructor(openWire: OpenWire, stream: boolean, text: boolean) {
    this.#openWire = openWire
    this.stream = stream
    this.text = text
  }

  async open(): Promise<Speaker> {
    const speaker = await Speaker.open(this.#openWire, this.text)
    this.#speakers.push(speaker)
    return speaker
  }

  /** Connects and says hello, with an outbox of its own unless `options` says otherwise. */
  async join(options: Readonly<Record<string, unknown>> = {}): Promise<Member> {
    const speaker = await this.open()
    const outbox = newOutbox()
    speaker.say(['hello', { v: 1, outbox, ...options }])
    const welcome = mapAt(await speaker.hear('welcome'), 1)
    const { id, secret = options['secret'] ?? '', outbox: named = '' } = welcome
    return { speaker, id: String(id), secret: String(secret), outbox: String(named), welcome }
  }

  /** Hangs up on everybody who is still there. */
  leave(): void {
    for (const speaker of this.#speakers.splice(0)) speaker.hangUp()
  }
}

export function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Violation(`${what} is ${shown(actual)} and should be ${shown(expected)}`)
}

export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Violation(what)
}

/** The map in a frame. */
export function mapAt(frame: Frame, index: number): Readonly<Record<string, unknown>> {
  const value = frame[index]
  if (typeof value !== 'object' || value === null) throw new Violation(`${frame[0]} has no map at ${index}`)
  return Object.fromEntries(Object.entries(value))
}

/** The connection is closed for this reason. */
export async function closedWith(speaker: Speaker, name: string): Promise<void> {
  same((await speaker.hear('close'))[1], name, 'the name of the close')
  await speaker.end()
}

/** The server answers: whatever was said before did not end the connection. */
export async function stillThere(speaker: Speaker): Promise<void> {
  speaker.say(['ping'])
  await speaker.hear('pong')
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner))
}
