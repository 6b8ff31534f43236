/**
 * Writes frames as MessagePack, back to back into one packet.
 *
 * A frequent frame makes room once, for the most that it can take, and then writes byte after byte without looking back.
 */
import { literal } from './dialect.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { Body, HistoryPage, Ref } from './frames.ts'
import { fitting } from './history.ts'
import { MAX_DEPTH } from './limits.ts'
import { Output, type WritePacket } from './output.ts'
import { putAgain, putArrayHeader, putMapHeader, putNil, putNumber, putRaw, putString, stringRoom } from './put.ts'
import { writeValue } from './values.ts'

const SEND = Uint8Array.of(0x96, ...literal('send'))
const ACK = Uint8Array.of(0x92, ...literal('ack'))
const MESSAGE = Uint8Array.of(0x98, ...literal('message'))
const ROOM = Uint8Array.of(0x98, ...literal('room'))
const DELIVERED = Uint8Array.of(0x94, ...literal('receipt', 'delivered'))
const STORED = Uint8Array.of(0x94, ...literal('receipt', 'stored'))

/** More than everything in a frequent frame takes, its strings and its body apart: an op, five numbers, a ttl. */
const HEADER_ROOM = 80

export class BinaryWriter implements FrameWriter {
  readonly text = false
  readonly #out = new Output()
  readonly #packetBytes: number
  readonly #transcode: (body: Body) => Body
  /** Whom the last message was from, and where its two names lie in what is pending; -1: there is none. */
  #from = ''
  #outbox = ''
  #namesAt = -1
  #namesEnd = -1

  /**
   * A packet is ended before the frame that would bring it above `packetBytes`. `transcode` makes MessagePack of a body that is JSON,
   * and is brought along so that who has no such bodies, the client library, need not carry what JSON takes.
   */
  constructor(packetBytes: number, transcode: (body: Body) => Body) {
    this.#packetBytes = packetBytes
    this.#transcode = transcode
  }

  get pending(): number {
    return this.#out.pending
  }

  flush(write: WritePacket): boolean {
    this.#namesAt = -1
    return this.#out.flush(write, false)
  }

  discard(): void {
    this.#namesAt = -1
    this.#out.discard()
  }

  frame(values: readonly unknown[], body?: Body): void {
    const out = this.#out
    const start = out.at
    try {
      out.at = putArrayHeader(out.reserve(5), start, values.length + (body === undefined ? 0 : 1))
      for (const value of values) writeValue(out, value, MAX_DEPTH)
      if (body !== undefined) this.#body(body)
    } catch (error) {
      out.at = start
      throw error
    }
    this.#ended(start)
  }

  send(n: number, floor: number, target: string, ttl: number, body: Body): void {
    const out = this.#out
    const start = out.at
    const raw = body.text ? this.#transcode(body) : body
    const bytes = out.reserve(HEADER_ROOM + stringRoom(target) + raw.end - raw.start)
    let at = putLiteral(bytes, start, SEND)
    at = n === 0 ? putNil(bytes, at) : putNumber(bytes, at, n)
    at = floor === 0 ? putNil(bytes, at) : putNumber(bytes, at, floor)
    at = putString(bytes, at, target)
    at = ttl === 0 ? putNil(bytes, at) : putNumber(bytes, putString(bytes, putMapHeader(bytes, at, 1), 'ttl'), ttl)
    out.at = putRaw(bytes, at, raw.bytes, raw.start, raw.end)
    this.#ended(start)
  }

  ack(seq: number): void {
    const out = this.#out
    const start = out.at
    const bytes = out.reserve(HEADER_ROOM)
    out.at = putNumber(bytes, putLiteral(bytes, start, ACK), seq)
    this.#ended(start)
  }

  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void {
    const out = this.#out
    const start = out.at
    const raw = body.text ? this.#transcode(body) : body
    const isAgain = this.#namesAt >= 0 && from === this.#from && outbox === this.#outbox
    const names = isAgain ? this.#namesEnd - this.#namesAt : stringRoom(from) + stringRoom(outbox)
    const bytes = out.reserve(HEADER_ROOM + names + raw.end - raw.start)
    let at = putNumber(bytes, putLiteral(bytes, start, MESSAGE), seq)
    at = isAgain ? putAgain(bytes, at, this.#namesAt, this.#namesEnd) : this.#names(bytes, at, from, outbox)
    at = putNumber(bytes, at, n)
    at = putNumber(bytes, at, time)
    at = putNumber(bytes, at, flags)
    out.at = putRaw(bytes, at, raw.bytes, raw.start, raw.end)
    this.#ended(start)
  }

  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    const out = this.#out
    const start = out.at
    const raw = body.text ? this.#transcode(body) : body
    const names = stringRoom(room) + stringRoom(from) + stringRoom(outbox)
    const bytes = out.reserve(HEADER_ROOM + names + raw.end - raw.start)
    let at = putLiteral(bytes, start, ROOM)
    at = putString(bytes, at, room)
    at = putNumber(bytes, at, offset)
    at = putString(bytes, at, from)
    at = putString(bytes, at, outbox)
    at = putNumber(bytes, at, n)
    at = putNumber(bytes, at, time)
    out.at = putRaw(bytes, at, raw.bytes, raw.start, raw.end)
    this.#ended(start)
  }

  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void {
    const out = this.#out
    const start = out.at
    const messages = fitting(page, ref, body => (body.text ? this.#transcode(body) : body), maxBytes, newest)
    const { epoch, first, last } = page
    out.at = putArrayHeader(out.reserve(5), start, 3)
    for (const value of ['reply', ref]) writeValue(out, value)
    out.at = putMapHeader(out.reserve(5), out.at, 4)
    for (const value of ['epoch', epoch, 'first', first, 'last', last, 'messages']) writeValue(out, value)
    out.at = putArrayHeader(out.reserve(5), out.at, messages.length)
    for (const { offset, from, outbox, n, time, body } of messages) {
      out.at = putArrayHeader(out.reserve(5), out.at, 6)
      for (const value of [offset, from, outbox, n, time]) writeValue(out, value)
      this.#body(body)
    }
    this.#ended(start)
  }

  lend(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#out.lend(packet)
  }

  receipt(kind: 'delivered' | 'stored', target: string, n: number): void {
    const out = this.#out
    const start = out.at
    const bytes = out.reserve(HEADER_ROOM + stringRoom(target))
    const at = putLiteral(bytes, start, kind === 'delivered' ? DELIVERED : STORED)
    out.at = putNumber(bytes, putString(bytes, at, target), n)
    this.#ended(start)
  }

  /** Messages of one turn are often from one sender, whose names are then copied from the message before: half of what writing them takes. */
  #names(bytes: Uint8Array, at: number, from: string, outbox: string): number {
    this.#from = from
    this.#outbox = outbox
    this.#namesAt = at
    this.#namesEnd = putString(bytes, putString(bytes, at, from), outbox)
    return this.#namesEnd
  }

  #body(body: Body): void {
    const { bytes, start, end } = body.text ? this.#transcode(body) : body
    const out = this.#out
    out.at = putRaw(out.reserve(end - start), out.at, bytes, start, end)
  }

  /** A frame is whole. If it has made the packet too large, it becomes the first of the next one. */
  #ended(start: number): void {
    if (this.#out.packetBytes > this.#packetBytes) this.#out.cut(start)
  }
}

function putLiteral(bytes: Uint8Array, at: number, source: Uint8Array): number {
  const { length } = source
  for (let i = 0; i < length; i++) bytes[at + i] = source[i] as number
  return at + length
}
