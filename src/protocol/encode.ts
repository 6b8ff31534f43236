/**
 * The two encoders: what a client says and what a server says, as lists of values in the order of the wire, §3 and §4.
 *
 * They know the frames and nothing of encodings, which are behind `FrameWriter`.
 */
import type { CloseName, EndReason, ErrorCode } from './errors.ts'
import type { FrameWriter } from './frame-writer.ts'
import type {
  Body,
  Broadcast,
  ClientFrames,
  CreateOptions,
  HelloOptions,
  HistoryOptions,
  HistoryPage,
  JoinOptions,
  ListOptions,
  MemberEvent,
  Ref,
  ServerVoice,
  WelcomeOptions,
} from './frames.ts'
import type { PacketOutput, WritePacket } from './output.ts'

export class ClientEncoder implements ClientFrames, PacketOutput {
  readonly #writer: FrameWriter

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  get pending(): number {
    return this.#writer.pending
  }

  flush(write: WritePacket): boolean {
    return this.#writer.flush(write)
  }

  discard(): void {
    this.#writer.discard()
  }

  hello(options: HelloOptions): void {
    this.#writer.frame(['hello', options])
  }

  send(n: number, floor: number, target: string, ttl: number, body: Body): void {
    this.#writer.send(n, floor, target, ttl, body)
  }

  ack(seq: number): void {
    this.#writer.ack(seq)
  }

  nack(seq: number, reason: string): void {
    this.#writer.frame(['nack', seq, reason])
  }

  sync(ref: Ref, target: string): void {
    this.#writer.frame(['sync', ref, target])
  }

  signal(target: string, body: Body): void {
    this.#writer.frame(['signal', target], body)
  }

  presence(ref: Ref, ids: readonly string[]): void {
    this.#writer.frame(['presence', ref, ids])
  }

  rotate(ref: Ref): void {
    this.#writer.frame(['rotate', ref])
  }

  join(ref: Ref, room: string, options: JoinOptions): void {
    this.#writer.frame(['join', ref, room, options])
  }

  leave(ref: Ref, room: string): void {
    this.#writer.frame(['leave', ref, room])
  }

  create(ref: Ref, room: string, options: CreateOptions): void {
    this.#writer.frame(['create', ref, room, options])
  }

  delete(ref: Ref, room: string): void {
    this.#writer.frame(['delete', ref, room])
  }

  rooms(ref: Ref, options: ListOptions): void {
    this.#writer.frame(['rooms', ref, options])
  }

  members(ref: Ref, room: string, options: ListOptions): void {
    this.#writer.frame(['members', ref, room, options])
  }

  history(ref: Ref, room: string, options: HistoryOptions): void {
    this.#writer.frame(['history', ref, room, options])
  }

  token(ref: Ref, token: string): void {
    this.#writer.frame(['token', ref, token])
  }

  ping(): void {
    this.#writer.frame(['ping'])
  }

  pong(): void {
    this.#writer.frame(['pong'])
  }

  bye(): void {
    this.#writer.frame(['bye'])
  }

  unknown(): void {}
}

export class ServerEncoder implements ServerVoice, PacketOutput {
  readonly #writer: FrameWriter

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  get pending(): number {
    return this.#writer.pending
  }

  flush(write: WritePacket): boolean {
    return this.#writer.flush(write)
  }

  discard(): void {
    this.#writer.discard()
  }

  welcome(options: WelcomeOptions): void {
    this.#writer.frame(['welcome', options])
  }

  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void {
    this.#writer.message(seq, from, outbox, n, time, flags, body)
  }

  void(seq: number, from: string, outbox: string, n: number, reason: string): void {
    this.#writer.frame(['void', seq, from, outbox, n, reason])
  }

  delivered(target: string, n: number): void {
    this.#writer.receipt('delivered', target, n)
  }

  stored(target: string, n: number): void {
    this.#writer.receipt('stored', target, n)
  }

  ended(kind: EndReason, target: string, n: number, reason: string): void {
    this.#writer.frame(['receipt', kind, target, n, reason])
  }

  failed(target: string, n: number, code: ErrorCode): void {
    this.#writer.frame(['receipt', 'failed', target, n, code])
  }

  retry(target: string, n: number, code: ErrorCode, afterMs: number): void {
    this.#writer.frame(['receipt', 'retry', target, n, code, afterMs])
  }

  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    this.#writer.room(room, offset, from, outbox, n, time, body)
  }

  members(room: string, event: MemberEvent, id: string, name: string): void {
    this.#writer.frame(['members', room, event, id, name])
  }

  signal(from: string, target: string, body: Body): void {
    this.#writer.frame(['signal', from, target], body)
  }

  broadcast(frames: Broadcast): void {
    this.#writer.lend(frames.packets(this.#writer.text))
  }

  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void {
    this.#writer.history(ref, page, maxBytes, newest)
  }

  reply(ref: Ref, value: unknown): void {
    this.#writer.frame(['reply', ref, value])
  }

  error(ref: Ref | null, code: ErrorCode, text: string): void {
    this.#writer.frame(['error', ref, code, text])
  }

  close(name: CloseName, text: string, retryAfterMs: number | null): void {
    this.#writer.frame(['close', name, text, retryAfterMs])
  }

  ping(): void {
    this.#writer.frame(['ping'])
  }

  pong(): void {
    this.#writer.frame(['pong'])
  }

  unknown(): void {}
}
