/**
 * The two encoders: what a client says and what a server says, as lists of values in the order of the wire, §3 and §4.
 *
 * They know the frames and nothing of encodings, which are behind `FrameWriter`.
 */
import type { CloseName, EndReason, ErrorCode } from './errors.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { Body, ClientFrames, HelloOptions, Ref, ServerFrames, WelcomeOptions } from './frames.ts'
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

export class ServerEncoder implements ServerFrames, PacketOutput {
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

  signal(from: string, target: string, body: Body): void {
    this.#writer.frame(['signal', from, target], body)
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
