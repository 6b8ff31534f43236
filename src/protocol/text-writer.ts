/** Writes frames as JSON, one to a packet. Made for people and for simple clients: clear before fast. */
import type { FrameWriter } from './frame-writer.ts'
import type { Body, HistoryPage, Ref } from './frames.ts'
import { fitting } from './history.ts'
import { MAX_DEPTH } from './limits.ts'
import { Output, type WritePacket } from './output.ts'
import { putRaw } from './put.ts'
import { inEncoding } from './transcode.ts'
import { writeUtf8 } from './utf8.ts'
import { toJson } from './values.ts'

const COMMA = 0x2c
const CLOSE_BRACKET = 0x5d
/** How a reply ends that holds a list as the last element of a map. */
const EMPTY_LIST_END = ']}]'

export class TextWriter implements FrameWriter {
  readonly text = true
  readonly #out = new Output()

  get pending(): number {
    return this.#out.pending
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
    const out = this.#out
    if (body === undefined) this.#write(header)
    else this.#array(header, inEncoding(body, true))
    out.cut(out.at)
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

  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    this.frame(['room', room, offset, from, outbox, n, time], body)
  }

  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void {
    const { epoch, first, last } = page
    const out = this.#out
    const messages = fitting(page, ref, body => inEncoding(body, true), maxBytes, newest)
    const empty = JSON.stringify(toJson(['reply', ref, { epoch, first, last, messages: [] }]))
    // The list is open yet; the end of it and of what is around it follow its messages.
    this.#write(empty.slice(0, -EMPTY_LIST_END.length))
    for (const [i, { offset, from, outbox, n, time, body }] of messages.entries()) {
      if (i > 0) this.#write(',')
      this.#array(JSON.stringify([offset, from, outbox, n, time]), body)
    }
    this.#write(EMPTY_LIST_END)
    out.cut(out.at)
  }

  lend(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#out.lend(packet)
  }

  receipt(kind: 'delivered' | 'stored', target: string, n: number): void {
    this.frame(['receipt', kind, target, n])
  }

  #write(text: string): void {
    const out = this.#out
    out.at = writeUtf8(text, out.reserve(3 * text.length), out.at)
  }

  /** A JSON array and one more element, which is a body. */
  #array(array: string, { bytes, start, end }: Body): void {
    this.#write(array)
    const out = this.#out
    const into = out.reserve(end - start + 1)
    into[out.at - 1] = COMMA
    const at = putRaw(into, out.at, bytes, start, end)
    into[at] = CLOSE_BRACKET
    out.at = at + 1
  }
}
