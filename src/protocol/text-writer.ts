/** Writes frames as JSON, one to a packet. Made for people and for simple clients: clear before fast. */
import type { FrameWriter } from './frame-writer.ts'
import type { Body } from './frames.ts'
import { MAX_DEPTH } from './limits.ts'
import { Output, type WritePacket } from './output.ts'
import { putRaw } from './put.ts'
import { inEncoding } from './transcode.ts'
import { writeUtf8 } from './utf8.ts'
import { toJson } from './values.ts'

const COMMA = 0x2c
const CLOSE_BRACKET = 0x5d

export class TextWriter implements FrameWriter {
  readonly #out = new Output()

  get pending(): number {
    return this.#out.at
  }

  flush(write: WritePacket): boolean {
    return this.#out.flush(write, true)
  }

  discard(): void {
    this.#out.discard()
  }

  frame(values: readonly unknown[], body?: Body): void {
    // The array that is the frame itself is no level of a value.
    const header = JSON.stringify(toJson(values, MAX_DEPTH + 1))
    const raw = body === undefined ? null : inEncoding(body, true)
    const out = this.#out
    const bytes = out.reserve(3 * header.length + 2 + (raw === null ? 0 : raw.end - raw.start))
    let at = writeUtf8(header, bytes, out.at)
    if (raw !== null) {
      bytes[at - 1] = COMMA
      at = putRaw(bytes, at, raw.bytes, raw.start, raw.end)
      bytes[at++] = CLOSE_BRACKET
    }
    out.at = at
    out.cut(at)
  }

  send(n: number, floor: number, target: string, ttl: number, body: Body): void {
    this.frame(['send', n === 0 ? null : n, floor === 0 ? null : floor, target, ttl === 0 ? null : { ttl }], body)
  }

  ack(seq: number): void {
    this.frame(['ack', seq])
  }

  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void {
    this.frame(['message', seq, from, outbox, n, time, flags], body)
  }

  receipt(kind: 'delivered' | 'stored', target: string, n: number): void {
    this.frame(['receipt', kind, target, n])
  }
}
