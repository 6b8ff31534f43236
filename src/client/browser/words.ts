/**
 * The words that tabs say to each other, and what they must look like to be heard.
 *
 * Only tabs of one origin hear each other, and they share its storage anyway, so a word is not doubted for who says it. But another version of
 * the library, or another script of the page, may say what this one does not understand: that is passed over, and never half done. Versions
 * of one format understand each other; a word of another format is not for this tab (see `Tabs` for what happens then).
 */
import type { Status } from '../connector.ts'
import type { Asking, Courier, CourierEvents, Terms } from '../courier.ts'
import { AckdError } from '../errors.ts'
import type { RoomCursor } from '../rooms/feed.ts'

/** Calls of an interface, as data. */
type Calls<Interface, Names extends keyof Interface = keyof Interface> = {
  [Name in Names]: Interface[Name] extends (...args: infer Args) => unknown ? readonly [Name, ...Args] : never
}[Names]

/** What the leading tab tells the others. */
export type Told = Calls<CourierEvents>
/** What the others ask of the leading tab. */
export type Asked =
  | Calls<Courier, 'listen' | 'dealt' | 'enter' | 'leave' | 'roomRecorded' | 'keepSecret' | 'reconnect'>
  | readonly ['sign']
  | readonly ['frame', op: keyof Asking, args: readonly unknown[]]

export type Word =
  /** A tab is there; whoever leads answers with `lead`. */
  | { readonly kind: 'hello'; readonly listening: boolean }
  | {
      readonly kind: 'lead'
      readonly epoch: number
      readonly status: Status
      /** Null without a connection. */
      readonly terms: Terms | null
      readonly rooms: readonly RoomCursor[]
    }
  | { readonly kind: 'told'; readonly call: Told }
  | { readonly kind: 'asked'; readonly call: Asked }
  /** There are letters in the database. */
  | { readonly kind: 'letters' }
  /** Whether the tab that leads is there: it answers `alive`. */
  | { readonly kind: 'knock' | 'alive' }
  /** The tab sleeps, or goes. */
  | { readonly kind: 'bye' }

export interface Envelope {
  readonly from: string
  /** Null: to all. */
  readonly to: string | null
  readonly word: Word
}

/** Of words and of what is in the database: tabs with another one do not understand each other. */
export const FORMAT = 1

type Check = (value: unknown) => boolean

const text: Check = value => typeof value === 'string'
const flag: Check = value => typeof value === 'boolean'
const number: Check = value => typeof value === 'number' && Number.isFinite(value)
const anything: Check = () => true
const failure: Check = value => value instanceof AckdError
const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value)
const list =
  (check: Check): Check =>
  value =>
    Array.isArray(value) && value.every(check)
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  value =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(checks).every(([name, check]) => check(Reflect.get(value, name)))

/** One of these shapes; a field says which. */
const oneOf =
  (tag: string, shapes: Readonly<Record<string, Check>>): Check =>
  value => {
    const name: unknown = fields({ [tag]: text })(value) ? Reflect.get(Object(value), tag) : null
    return typeof name === 'string' && Object.hasOwn(shapes, name) && shapes[name]?.(value) === true
  }

const body = fields({ bytes: value => value instanceof Uint8Array, start: number, end: number, text: flag })
const ref: Check = value => text(value) || number(value)
const terms = fields({ maxPacket: number })
const cursor = fields({ room: text, epoch: text, offset: number, time: number })
const message = fields({ from: text, outbox: text, n: number, time: number, flags: number, body: orNull(body) })
const status = oneOf('state', {
  connecting: anything,
  connected: fields({ id: text, resumed: flag, parked: number }),
  waiting: fields({ reason: text, text, retryAt: number }),
  closed: fields({ reason: text, error: failure }),
})

const told: Readonly<Record<Told[0], readonly Check[]>> = {
  status: [status],
  welcomed: [terms],
  lost: [],
  show: [message],
  settled: [fields({ key: text, target: text, n: number }), text, fields({ kind: text })],
  refused: [text, failure],
  gap: [fields({ from: text, outbox: text, first: number, last: number, reason: text })],
  entered: [text, fields({ offset: number, epoch: text, recovered: flag, members: number })],
  renamed: [text, text],
  left: [text, failure],
  room: [text, number, text, text, number, number, body],
  members: [text, text, text, text],
  missed: [],
  failed: [failure],
  signal: [text, text, body],
  reply: [ref, anything],
  error: [orNull(ref), text, text],
}

const frames: Readonly<Record<keyof Asking, readonly Check[]>> = {
  signal: [text, body],
  presence: [ref, list(text)],
  rotate: [ref],
  create: [ref, text, fields({})],
  delete: [ref, text],
  rooms: [ref, fields({})],
  members: [ref, text, fields({})],
  history: [ref, text, fields({})],
}

const asked: Readonly<Record<Asked[0], readonly Check[]>> = {
  listen: [flag],
  dealt: [message, orNull(text)],
  enter: [fields({ room: text })],
  leave: [text],
  roomRecorded: [cursor],
  keepSecret: [text],
  reconnect: [],
  sign: [],
  frame: [text, list(anything)],
}

const words: Readonly<Record<Word['kind'], Check>> = {
  hello: fields({ listening: flag }),
  lead: fields({ epoch: number, status, terms: orNull(terms), rooms: list(cursor) }),
  told: fields({ call: call => isCall(told, call) }),
  asked: fields({ call: call => isCall(asked, call) && isFrame(call) }),
  letters: anything,
  knock: anything,
  alive: anything,
  bye: anything,
}

const envelope = fields({
  format: format => format === FORMAT,
  from: text,
  to: orNull(text),
  word: oneOf('kind', words),
})

/** Whether this is a word that can be believed, with who says it to whom. */
export function isEnvelope(value: unknown): value is Envelope {
  return envelope(value)
}

/** The name and the arguments of a call of that table; more arguments than are known are no harm. */
function isCall(table: Readonly<Record<string, readonly Check[]>>, call: unknown): boolean {
  const [name, ...args] = listIn(call)
  const checks = typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined
  return checks?.every((check, i) => check(args[i])) === true
}

function isFrame(call: unknown): boolean {
  const [name, op, args] = listIn(call)
  return name !== 'frame' || isCall(frames, [op, ...listIn(args)])
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
