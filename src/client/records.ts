/**
 * The records of a client's journal: what each of them says, in bytes, and what they come to when they are replayed.
 */
import type { Body } from '../protocol/frames.ts'
import { decodeBinaryBody, encodeBinaryBody } from '../protocol/values.ts'
import type { RoomCursor } from './rooms/feed.ts'
import type { Cursor } from './inbox.ts'
import type { OutboxChange, OutboxSnapshot, Outgoing } from './outgoing.ts'

/** ms; an earlier version, which may share a browser's database with this one, forgets what was read some time after that. */
const NEVER = Date.UTC(2100, 0)

/** All that a journal comes to. */
export interface Kept {
  readonly outbox: OutboxSnapshot
  readonly cursors: readonly Cursor[]
  readonly rooms: readonly RoomCursor[]
}

export function encodeSnapshot({ outbox, cursors, rooms }: Kept): Uint8Array {
  const { name, attempt, lastId, streams } = outbox
  const lines = streams.map(({ target, next, messages }) => [target, next, messages.map(line)])
  return encode(['snapshot', name, attempt, lastId, lines, cursors.map(cursorLine), rooms.map(roomLine)])
}

export function encodeChange(change: OutboxChange): Uint8Array {
  switch (change.kind) {
    case 'added':
      return encode(['added', change.message.target, line(change.message)])
    case 'stored':
    case 'gone':
    case 'freed':
      return encode([change.kind, change.message.target, change.message.id])
    case 'named':
      return encode(['named', change.name])
    case 'attempted':
      return encode(['attempted', change.attempt])
  }
}

export function encodeCursor(cursor: Cursor): Uint8Array {
  return encode(['cursor', cursorLine(cursor)])
}

export function encodeRoomCursor(cursor: RoomCursor): Uint8Array {
  return encode(['room', roomLine(cursor)])
}

/** Whether a crash of the machine must not lose it: what comes after relies on numbers that it gave away, of messages or of connections. */
export function isDurable(kind: OutboxChange['kind']): boolean {
  return kind !== 'stored' && kind !== 'gone'
}

/** What a record says it is; '' when it says nothing. */
export function kindOf(record: Uint8Array): string {
  const [kind] = decode(record)
  return typeof kind === 'string' ? kind : ''
}

/** What the records come to. Throws a TypeError for a record of another shape. */
export function replay(records: Iterable<Uint8Array>): Kept {
  const state = new Replay()
  for (const record of records) state.apply(decode(record))
  return state.kept()
}

interface StreamState {
  next: number
  messages: Outgoing[]
}

class Replay {
  #name = ''
  #attempt = 0
  #lastId = 0
  readonly #streams = new Map<string, StreamState>()
  readonly #cursors = new Map<string, Cursor>()
  readonly #rooms = new Map<string, RoomCursor>()

  apply([kind, ...rest]: readonly unknown[]): void {
    switch (kind) {
      case 'snapshot':
        return this.#snapshot(rest)
      case 'added':
        return this.#added(text(rest[0]), message(text(rest[0]), rest[1]))
      case 'stored':
      case 'gone':
      case 'freed':
        return this.#moved(kind, text(rest[0]), integer(rest[1]))
      case 'named':
        return this.#named(text(rest[0]))
      case 'attempted':
        this.#attempt = integer(rest[0])
        return
      case 'cursor':
        return this.#cursor(rest[0])
      case 'room':
        return this.#room(rest[0])
      default:
        throw new TypeError(`There is no record of the kind ${String(kind)}.`)
    }
  }

  kept(): Kept {
    const streams = [...this.#streams].map(([target, { next, messages }]) => ({ target, next, messages }))
    const outbox = { name: this.#name, attempt: this.#attempt, lastId: this.#lastId, streams }
    return { outbox, cursors: [...this.#cursors.values()], rooms: [...this.#rooms.values()] }
  }

  #snapshot([name, attempt, lastId, streams, cursors, rooms]: readonly unknown[]): void {
    this.#name = text(name)
    this.#attempt = integer(attempt)
    for (const stream of list(streams)) {
      const [target, next, messages] = list(stream)
      for (const one of list(messages)) this.#added(text(target), message(text(target), one))
      this.#stream(text(target)).next = integer(next)
    }
    for (const cursor of list(cursors)) this.#cursor(cursor)
    for (const room of list(rooms)) this.#room(room)
    this.#lastId = integer(lastId)
  }

  #added(target: string, added: Outgoing): void {
    const stream = this.#stream(target)
    stream.messages.push(added)
    stream.next = added.n + 1
    this.#lastId = Math.max(this.#lastId, added.id)
  }

  #moved(kind: 'stored' | 'gone' | 'freed', target: string, id: number): void {
    const stream = this.#stream(target)
    const at = stream.messages.findIndex(held => held.id === id)
    const held = stream.messages[at]
    if (held === undefined) return
    if (kind === 'stored') stream.messages[at] = { ...held, stored: true }
    else stream.messages.splice(at, 1)
    if (kind !== 'freed') return
    stream.messages = stream.messages.map((later, i) => (i < at ? later : { ...later, n: held.n + i - at }))
    stream.next = held.n + stream.messages.length - at
  }

  #named(name: string): void {
    this.#name = name
    for (const [target, stream] of this.#streams) {
      stream.messages = stream.messages.map((held, i) => ({ ...held, n: i + 1 }))
      stream.next = stream.messages.length + 1
      if (stream.messages.length === 0) this.#streams.delete(target)
    }
  }

  #cursor(value: unknown): void {
    const [from, outbox, n, , to] = list(value)
    // Older journals do not say where it leads to.
    const known = typeof to === 'string' ? to : null
    const cursor = { to: known, from: text(from), outbox: text(outbox), n: integer(n) }
    const name = `${cursor.from} ${cursor.outbox}`
    this.#cursors.delete(name)
    // In older journals 0 means that it is forgotten.
    if (cursor.n > 0) this.#cursors.set(name, cursor)
  }

  #room(value: unknown): void {
    const [name, epoch, offset, time] = list(value)
    const room = text(name)
    const cursor = { room, epoch: text(epoch), offset: integer(offset), time: integer(time) }
    if (cursor.offset < 0) this.#rooms.delete(room)
    else this.#rooms.set(room, cursor)
  }

  #stream(target: string): StreamState {
    const known = this.#streams.get(target) ?? { next: 1, messages: [] }
    this.#streams.set(target, known)
    return known
  }
}

function line({ id, n, body, ttl, time, stored, key }: Outgoing): unknown[] {
  return [id, n, body.bytes.subarray(body.start, body.end), ttl, Math.round(time), stored, key]
}

function message(target: string, value: unknown): Outgoing {
  const [id, n, body, ttl, time, stored, key] = list(value)
  return {
    id: integer(id),
    target,
    n: integer(n),
    body: bodyOf(body),
    ttl: integer(ttl),
    time: integer(time),
    stored: stored === true,
    // Older journals have none.
    key: typeof key === 'string' ? key : '',
  }
}

function bodyOf(value: unknown): Body {
  if (!(value instanceof Uint8Array)) throw new TypeError('A record holds no body where one must be.')
  return { bytes: value, start: 0, end: value.length, text: false }
}

function cursorLine({ to, from, outbox, n }: Cursor): unknown[] {
  return [from, outbox, n, NEVER, to]
}

function roomLine({ room, epoch, offset, time }: RoomCursor): unknown[] {
  return [room, epoch, offset, Math.round(time)]
}

function encode(record: readonly unknown[]): Uint8Array {
  return encodeBinaryBody(record).bytes
}

function decode(record: Uint8Array): readonly unknown[] {
  return list(decodeBinaryBody({ bytes: record, start: 0, end: record.length, text: false }))
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('A record holds no list where one must be.')
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('A record holds no text where one must be.')
  return value
}

function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new TypeError('A record holds no integer where one must be.')
  }
  return value
}
