/** A connection of a story: what the server says on it is put into words. */
import type { Connection } from '../../src/core/effects.ts'
import type { Session } from '../../src/core/session.ts'
import type { CloseName, EndReason, ErrorCode } from '../../src/protocol/errors.ts'
import {
  MessageFlag,
  type Body,
  type Broadcast,
  type HistoryPage,
  type MemberEvent,
  type Ref,
  type WelcomeOptions,
} from '../../src/protocol/frames.ts'
import { streamName } from '../../src/protocol/mailbox.ts'
import type { Node } from './node.ts'
import type { Person } from './person.ts'
import { fromMs } from './units.ts'
import type { World } from './world.ts'

/** A frame that wants an ack. */
interface Received {
  readonly seq: number
  readonly from: string
  readonly n: number
}

const decoder = new TextDecoder()
const spelling = new Map<unknown, string>([
  [true, 'is here'],
  [false, 'is not'],
])

export function toBody(text: string, size = text.length): Body {
  const bytes = new Uint8Array(Math.max(size, text.length))
  new TextEncoder().encodeInto(text, bytes)
  return { bytes, start: 0, end: bytes.length, text: false }
}

/** The words of a body, without what fills it up. */
function toText({ bytes, start, end }: Body): string {
  return decoder.decode(bytes.subarray(start, end)).replace(/\0+$/, '')
}

export class Pipe implements Connection {
  readonly person: Person
  readonly device: string
  readonly node: Node
  readonly received: Received[] = []
  session: Session | null = null
  open = true
  /** Bytes that it leaves unread, as far as the server knows. */
  unread = 0
  readonly #world: World

  constructor(world: World, person: Person, device: string, node: Node) {
    this.#world = world
    this.person = person
    this.device = device
    this.node = node
  }

  /** The seq of what was received last under that number. */
  seqOf(n: number, from: string | null): number {
    const found = this.received.findLast(one => one.n === n && (from === null || one.from === from))
    if (found === undefined) throw new Error(`${this.#name} did not receive m${n}`)
    return found.seq
  }

  get lastSeq(): number {
    return this.received.at(-1)?.seq ?? 0
  }

  get #name(): string {
    if (this.device !== '') return `${this.person.name}'s ${this.device}`
    return this.person.latest === this ? this.person.name : `${this.person.name}'s earlier connection`
  }

  welcome({ id, secret, resumed, parked }: WelcomeOptions): void {
    this.person.welcomed(id, secret)
    const waiting = parked === 0 ? '' : `, ${parked} waiting`
    this.#say(`is welcomed${resumed ? '' : ' as a new client'}${waiting}`)
  }

  message(seq: number, from: string, outbox: string, n: number, _time: number, flags: number, body: Body): void {
    const text = toText(body)
    this.#receive(seq, from, n)
    const said = text === `m${n}` ? '' : ` saying "${text}"`
    const parked = (flags & MessageFlag.parked) === 0 ? '' : ', parked'
    const again = (flags & MessageFlag.repeated) === 0 ? '' : ', again'
    this.#say(`receives ${this.#world.letter(streamName(from, outbox), n)}${said}${parked}${again}`)
  }

  void(seq: number, from: string, outbox: string, n: number, reason: string): void {
    this.#receive(seq, from, n)
    this.#say(`learns that ${this.#world.letter(streamName(from, outbox), n)} will not come: ${reason}`)
  }

  delivered(target: string, n: number): void {
    this.person.settledUpTo(this, target, n)
    this.#say(`is told m${n} to ${this.#world.nameOf(target)} is delivered`)
  }

  stored(target: string, n: number): void {
    this.#say(`is told m${n} to ${this.#world.nameOf(target)} is stored`)
  }

  ended(kind: EndReason, target: string, n: number, reason: string): void {
    this.person.settled(this, target, n)
    const why = reason === kind ? '' : `: ${reason}`
    this.#say(`is told m${n} to ${this.#world.nameOf(target)} is ${kind}${why}`)
  }

  failed(target: string, n: number, code: ErrorCode): void {
    this.person.settled(this, target, n)
    this.#say(`is told m${n} to ${this.#world.nameOf(target)} has failed: ${code}`)
  }

  retry(target: string, n: number, code: ErrorCode, afterMs: number): void {
    const when = afterMs === 0 ? 'at once' : `after ${fromMs(afterMs)}`
    this.#say(`is told to retry m${n} to ${this.#world.nameOf(target)} ${when}: ${code}`)
  }

  room(room: string, offset: number, from: string, outbox: string, n: number, _time: number, body: Body): void {
    const text = toText(body)
    const said = text === `m${n}` ? '' : ` saying "${text}"`
    this.#say(`receives ${this.#world.letter(streamName(from, outbox), n)}${said} in ${room} as ${offset}`)
  }

  members(room: string, event: MemberEvent, id: string, name: string): void {
    if (event === 'leave' && this.person.ids.includes(id)) return this.#say(`is out of ${room}`)
    const called = name === '' ? '' : `, called ${name},`
    this.#say(`sees ${this.#world.nameOf(id)}${called} ${event === 'join' ? 'join' : 'leave'} ${room}`)
  }

  broadcast(frames: Broadcast): void {
    frames.say(this)
  }

  history(ref: Ref, { messages, epoch, first, last }: HistoryPage): void {
    const letters = messages.map(
      ({ offset, from, outbox, n }) => `${this.#world.letter(streamName(from, outbox), n)} as ${offset}`,
    )
    this.#say(`hears ${ref}: ${letters.join(', ') || 'nothing'}, of ${first} to ${last} in epoch ${epoch}`)
  }

  signal(from: string, target: string, body: Body): void {
    const where = target.startsWith('#') ? ` in ${target}` : ''
    this.#say(`sees ${this.#world.nameOf(from)} ${toText(body)}${where}`)
  }

  reply(ref: Ref, value: unknown): void {
    if (value !== null && typeof value === 'object' && 'secret' in value) {
      this.person.gets(String(value.secret))
      return this.#say('gets a new secret')
    }
    if (isJoined(value)) {
      const { offset, epoch, recovered, members } = value
      this.person.joined(String(ref), epoch)
      if (members === undefined) return this.#say(`hears that ${ref} goes on behind ${offset} under another epoch`)
      return this.#say(`is in ${ref} at ${offset} with ${members} there${recovered ? ', caught up' : ''}`)
    }
    this.#say(`hears ${ref}: ${this.#spell(value)}`)
  }

  error(ref: Ref | null, code: ErrorCode): void {
    this.#say(`gets the error ${code}${ref === null ? '' : ` on ${ref}`}`)
  }

  close(name: CloseName, _text: string, retryAfterMs: number | null): void {
    this.open = false
    this.#say(`is closed: ${name}${retryAfterMs === null ? '' : `, come back after ${fromMs(retryAfterMs)}`}`)
  }

  end(): void {
    this.open = false
    this.#say('is gone')
  }

  ping(): void {
    this.#say('is pinged')
  }

  pong(): void {
    this.#say('is ponged')
  }

  unknown(op: string): void {
    this.#say(`gets an unknown ${op}`)
  }

  /** The process at its other end has died. */
  lose(): void {
    if (!this.open) return
    this.open = false
    this.#say('loses the connection')
  }

  #receive(seq: number, from: string, n: number): void {
    this.received.push({ seq, from: this.#world.nameOf(from), n })
  }

  /** `last 2, delivered 1`; ids become names. */
  #spell(value: unknown): string {
    if (value === null) return 'done'
    if (typeof value !== 'object') return JSON.stringify(value)
    const next = 'next' in value && value.next !== null ? ' and more' : ''
    if ('members' in value && Array.isArray(value.members)) return this.#names(value.members) + next
    if ('rooms' in value && Array.isArray(value.rooms)) return roomNames(value.rooms) + next
    return Object.entries(value)
      .map(([key, of]) => `${this.#world.nameOf(key)} ${spelling.get(of) ?? JSON.stringify(of)}`)
      .join(', ')
  }

  #names(members: readonly (readonly [id: string, name: string])[]): string {
    if (members.length === 0) return 'nobody'
    return members.map(([id, name]) => this.#world.nameOf(id) + (name === '' ? '' : `, called ${name}`)).join(', ')
  }

  #say(event: string): void {
    this.#world.say(`${this.#name} ${event}`)
  }
}

interface Joined {
  readonly offset: number
  readonly epoch: string
  readonly recovered: boolean
  /** Not said to one who is not in yet. */
  readonly members?: number
}

function isJoined(value: unknown): value is Joined {
  return typeof value === 'object' && value !== null && 'offset' in value && 'recovered' in value
}

function roomNames(
  rooms: readonly { readonly room: string; readonly members: number; readonly locked: boolean }[],
): string {
  if (rooms.length === 0) return 'none'
  return rooms.map(({ room, members, locked }) => `${room} with ${members}${locked ? ', locked' : ''}`).join(', ')
}
