/**
 * A hub whose every word is written down: what it asks of the store, and what it says on each connection, line by line.
 *
 * Nothing answers by itself; a test says what the store answers, and when a turn of the loop ends.
 */
import type { Connection, CoreOptions, Effects, Greeting } from '../../src/core/effects.ts'
import { Hub } from '../../src/core/hub.ts'
import type { Member } from '../../src/core/member.ts'
import { Message } from '../../src/core/message.ts'
import type { Ask, NewRoom, RoomEffects } from '../../src/core/room-effects.ts'
import { ordinary } from '../../src/core/rights.ts'
import type { Session } from '../../src/core/session.ts'
import type { Upstream } from '../../src/core/upstream.ts'
import type { Body, Broadcast, HistoryPage, Ref, WelcomeOptions } from '../../src/protocol/frames.ts'
import type { Entry, Outcome, Parcel, BindRequest } from '../../src/protocol/mailbox.ts'
import type { RollReport } from '../../src/protocol/rolls.ts'
import { areOfOneRoom, type RoomParcel, type RoomQuery } from '../../src/protocol/rooms.ts'

export const start = 1_000_000
export const options: CoreOptions = {
  node: 'here',
  ackTimeoutMs: 30_000,
  window: 256,
  windowBytes: 1024 * 1024,
  sendWindow: 64,
  sendWindowBytes: 256 * 1024,
  heldBytes: 1024 * 1024,
  newRecipients: 200,
  rememberedStreams: 10_000,
  roomsPerConnection: 4,
  roomMessages: 1_000,
  soleOwner: false,
  pollMs: 0,
  maxPacket: 1024 * 1024,
  pingIntervalMs: 15_000,
}

export function bodyOf(size: number): Body {
  return { bytes: new Uint8Array(size), start: 0, end: size, text: false }
}

export function messageOf(n: number, size = 1, stream = 'alice out'): Message {
  return new Message('bob', stream, n, n, start, 0, bodyOf(size), 0, '', start + options.ackTimeoutMs)
}

/** An entry of a mailbox, whose place is its number unless told otherwise. */
export function entryOf(n: number, more: Partial<Entry> = {}): Entry {
  return { s: n, stream: 'alice out', n, time: start, body: bodyOf(1), reason: '', repeated: false, ...more }
}

/** What was asked of the store about rooms, and by whom. */
class RoomCalls implements RoomEffects {
  readonly #note: (line: string) => void
  readonly asks: Ask[] = []
  readonly members: Member[] = []

  constructor(note: (line: string) => void) {
    this.#note = note
  }

  create(name: string, { owner, messages, password }: NewRoom, ask: Ask | null): void {
    if (ask !== null) this.asks.push(ask)
    this.#note(`create ${name} of ${owner || 'nobody'} for ${messages}${password === '' ? '' : ', locked'}`)
  }

  delete(ask: Ask, epoch: string): void {
    this.asks.push(ask)
    this.#note(`delete ${ask.room} ${epoch}`)
  }

  find(room: string): void {
    this.#note(`find ${room}`)
  }

  inspect(ask: Ask): void {
    this.asks.push(ask)
    this.#note(`inspect ${ask.room}`)
  }

  list(ask: Ask, after: string, limit: number, hidden: boolean): void {
    this.asks.push(ask)
    this.#note(`list ${limit} after ${after || 'nothing'}${hidden ? ', hidden ones too' : ''}`)
  }

  verify(member: Member, hash: string, password: string): void {
    this.members.push(member)
    this.#note(`verify ${password} by ${hash}`)
  }

  append(room: string, batch: readonly RoomParcel[], epoch: string): void {
    const to = areOfOneRoom(epoch, 'e1') ? room : `${room} of ${epoch}`
    this.#note(`append ${to}: ${batch.map(({ stream, n, floor }) => `${stream} ${n}/${floor}`).join(', ')}`)
  }

  page(room: string, { after = 0 }: RoomQuery): void {
    this.#note(`page ${room} after ${after}`)
  }

  feed(member: Member, { after = 0 }: RoomQuery): void {
    this.members.push(member)
    this.#note(`feed ${member.id} in ${member.room} after ${after}`)
  }

  history(ask: Ask, { maxBytes, ...query }: RoomQuery): void {
    this.asks.push(ask)
    this.#note(`history ${ask.room}: ${JSON.stringify(query)}, ${maxBytes} bytes`)
  }

  taken(ask: Ask, stream: string): void {
    this.asks.push(ask)
    this.#note(`taken ${stream} in ${ask.room}`)
  }

  follow(room: string): void {
    this.#note(`follow ${room}`)
  }

  unfollow(room: string): void {
    this.#note(`unfollow ${room}`)
  }

  report(room: string, { coming, going, seen }: RollReport): void {
    const changes = [...coming.map(({ id }) => `+${id}`), ...going.map(id => `-${id}`)]
    this.#note(`report ${[room, ...changes].join(' ')}, seen ${seen}`)
  }

  signal(room: string, from: string): void {
    this.#note(`signal of ${from} to ${room}`)
  }
}

/** What was asked of the store. */
export class Calls implements Effects {
  readonly #lines: string[] = []
  readonly rooms = new RoomCalls(line => void this.#lines.push(line))
  /** Of what the mailbox was asked last. */
  verifying: Upstream | null = null

  /** What was asked since the last time. */
  read(): readonly string[] {
    return this.#lines.splice(0)
  }

  bind(_session: Session, { id, proof, create, attempt }: BindRequest): void {
    this.#lines.push(
      `bind ${id} by ${proof.kind}${create ? ', create' : ''}${attempt > 0 ? `, attempt ${attempt}` : ''}`,
    )
  }

  register(): void {
    this.#lines.push('register')
  }

  unbind(id: string, token: string, suspect: number): void {
    this.#lines.push(`unbind ${id} ${token}${suspect > 0 ? `, suspect ${suspect}` : ''}`)
  }

  enqueue(id: string, batch: readonly Parcel[]): void {
    this.#lines.push(`enqueue ${id}: ${batch.map(({ stream, n, floor }) => `${stream} ${n}/${floor}`).join(', ')}`)
  }

  page(session: Session, after: number, limit: number, maxBytes: number): void {
    this.#lines.push(`page ${session.id} after ${after}, ${limit} messages, ${maxBytes} bytes`)
  }

  remove(session: Session, upTo: number): void {
    this.#lines.push(`remove ${session.id} up to ${upTo}`)
  }

  refuse(session: Session, s: number, reason: string): void {
    this.#lines.push(`refuse ${session.id} ${s}: ${reason}`)
  }

  sync(session: Session, ref: Ref, target: string, stream: string): void {
    this.#lines.push(`sync ${session.id} ${ref}: ${stream} in ${target}`)
  }

  recall(session: Session, stream: string): void {
    this.#lines.push(`recall ${stream} of ${session.id}`)
  }

  verify(up: Upstream): void {
    const { stream, target } = up
    this.verifying = up
    this.#lines.push(`verify ${stream} in ${target}`)
  }

  online(session: Session, ref: Ref, ids: readonly string[]): void {
    this.#lines.push(`online ${session.id} ${ref}: ${ids.join(', ')}`)
  }

  rotate(session: Session): void {
    this.#lines.push(`rotate ${session.id}`)
  }

  wake(node: string, id: string): void {
    this.#lines.push(`wake ${node} for ${id}`)
  }

  settled(stream: string, recipient: string): void {
    this.#lines.push(`settled ${stream} at ${recipient}`)
  }

  evict(node: string, id: string, token: string): void {
    this.#lines.push(`evict ${id} ${token} at ${node}`)
  }

  signal(to: string, from: string): void {
    this.#lines.push(`signal ${to} from ${from}`)
  }
}

/** What was said on a connection. */
export class Line implements Connection {
  unread = 0
  welcomed: WelcomeOptions | null = null
  readonly #lines: string[] = []

  /** What was said since the last time. */
  read(): readonly string[] {
    return this.#lines.splice(0)
  }

  welcome(welcomed: WelcomeOptions): void {
    this.welcomed = welcomed
    this.#lines.push(`welcome ${welcomed.id}`)
  }

  message(seq: number, from: string, outbox: string, n: number, _time: number, flags: number): void {
    this.#lines.push(`message ${seq}: ${from} ${outbox} ${n}${flags === 0 ? '' : `, flags ${flags}`}`)
  }

  void(seq: number, from: string, outbox: string, n: number, reason: string): void {
    this.#lines.push(`void ${seq}: ${from} ${outbox} ${n}, ${reason}`)
  }

  delivered(target: string, n: number): void {
    this.#lines.push(`delivered ${target} ${n}`)
  }

  stored(target: string, n: number): void {
    this.#lines.push(`stored ${target} ${n}`)
  }

  ended(kind: string, target: string, n: number, reason: string): void {
    this.#lines.push(`${kind} ${target} ${n}: ${reason}`)
  }

  failed(target: string, n: number, code: string): void {
    this.#lines.push(`failed ${target} ${n}: ${code}`)
  }

  retry(target: string, n: number, code: string, afterMs: number): void {
    this.#lines.push(`retry ${target} ${n}: ${code}, ${afterMs} ms`)
  }

  room(room: string, offset: number, from: string, outbox: string, n: number): void {
    this.#lines.push(`room ${room} ${offset}: ${from} ${outbox} ${n}`)
  }

  members(room: string, event: string, id: string, name: string): void {
    this.#lines.push(`${event} ${room} ${id}${name === '' ? '' : ` called ${name}`}`)
  }

  broadcast(frames: Broadcast): void {
    frames.say(this)
  }

  history(ref: Ref, { messages, epoch, first, last }: HistoryPage): void {
    const offsets = messages.map(({ offset }) => offset)
    this.#lines.push(`reply ${ref}: ${JSON.stringify(offsets)} of ${first} to ${last}, ${epoch}`)
  }

  signal(from: string, target: string): void {
    this.#lines.push(`signal from ${from} to ${target}`)
  }

  reply(ref: Ref, value: unknown): void {
    this.#lines.push(`reply ${ref}: ${JSON.stringify(value)}`)
  }

  error(ref: Ref | null, code: string): void {
    this.#lines.push(`error ${ref ?? 'nil'}: ${code}`)
  }

  close(name: string, _text: string, retryAfterMs: number | null): void {
    this.#lines.push(`close ${name}${retryAfterMs === null ? '' : ` for ${retryAfterMs} ms`}`)
  }

  end(): void {
    this.#lines.push('end')
  }

  ping(): void {
    this.#lines.push('ping')
  }

  pong(): void {
    this.#lines.push('pong')
  }

  unknown(op: string): void {
    this.#lines.push(`unknown ${op}`)
  }
}

export interface Connected {
  readonly session: Session
  readonly line: Line
}

export const stranger: Greeting = {
  id: null,
  secretHash: null,
  nonce: 'nonce',
  outbox: 'out',
  numbered: true,
  attempt: 0,
  window: 4_096,
  name: '',
  rights: ordinary,
}

export class Desk {
  readonly calls = new Calls()
  readonly hub: Hub
  #epoch = 0

  constructor(more: Partial<CoreOptions> = {}) {
    this.hub = new Hub(this.calls, { ...options, ...more })
    this.hub.clock(start, start)
  }

  /** Somebody says hello, and the store has not answered yet. */
  hello(id: string | null, more: Partial<Greeting> = {}): Connected {
    const line = new Line()
    return { line, session: this.hub.hello(line, { ...stranger, id, ...more }) }
  }

  /** Somebody is welcomed, and what that took is not written down. The mailbox is looked into and is empty. */
  connect(id: string, more: Partial<Greeting> = {}): Connected {
    const connected = this.binding(id, more)
    this.page(connected)
    return connected
  }

  /** Somebody is welcomed, and the first look into the mailbox is under way. */
  binding(id: string, more: Partial<Greeting> = {}): Connected {
    const connected = this.hello(id, more)
    this.bind(connected)
    this.hub.turn()
    this.calls.read()
    connected.line.read()
    return connected
  }

  /** The store makes this node the owner. */
  bind({ session }: Connected, previous: string | null = null): void {
    const token = `${++this.#epoch}:nonce`
    const bound = { kind: 'bound', token, resumed: false, parked: 0, expires: start, previous } as const
    this.hub.bound(session, bound, null)
  }

  /** The store answers a look into a mailbox, and the turn ends. */
  page({ session }: Connected, entries: readonly Entry[] = [], more = false): void {
    this.hub.paged(session, { kind: 'page', entries, more, oldest: entries[0]?.s ?? 0, lost: [] })
    this.hub.turn()
  }

  send({ session }: Connected, n: number, target = 'bob', size = 1): void {
    session.send(n, n, target, 0, bodyOf(size))
  }

  /** The store answers what was to be parked, and the turn ends. */
  enqueued(id: string, outcomes: readonly Outcome[] | null, owner: string | null = null): void {
    this.hub.enqueued(id, outcomes === null ? null : { outcomes, owner })
    this.hub.turn()
  }

  removed({ session }: Connected): void {
    this.hub.removed(session, { kind: 'ok', lost: [] })
    this.hub.turn()
  }

  /** Time goes on, with a tick at its end. */
  pass(ms: number): void {
    this.hub.clock(this.hub.now + ms, this.hub.time + ms)
    this.hub.tick()
    this.hub.turn()
  }
}
