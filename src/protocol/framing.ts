/**
 * Packets on a byte stream, for TCP and TLS, §1: `u32` big-endian length and that many bytes, or lines of JSON.
 *
 * The first byte tells which. A packet that lies whole in what the network gave is lent out in place; only one that arrives in
 * pieces is put together, in a buffer that grows with the bytes that are there and not with the length that was promised. Each
 * byte is looked at, and moved, a bounded number of times however it is cut.
 */

/** What the decoder of a stream has found. */
export interface StreamEvents {
  /** `bytes` is only lent for the time of the call. */
  packet(bytes: Uint8Array, text: boolean): void
  /** The stream is beyond repair; nothing more is handed on. */
  broken(reason: 'bad_frame' | 'too_large'): void
}

const PREFIX = 4
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const OPEN_BRACKET = 0x5b
const FIRST_BUFFER = 1024
const nothing = new Uint8Array(0)

export class StreamDecoder {
  readonly #events: StreamEvents
  readonly #maxPacket: number
  /** Of the packet that comes. */
  #limit: number
  #text = true
  #mode: 'unknown' | 'binary' | 'text' | 'ended' = 'unknown'
  /** Whether a packet has been handed on: a wrong length is judged by it. */
  #begun = false
  /** The start of a packet that is not whole yet, its length prefix included. */
  #held: Uint8Array = nothing
  #heldBytes = 0

  /** Bytes of a packet, without its prefix or line end: of any, and of the first one. */
  constructor(events: StreamEvents, maxPacket: number, maxFirst: number = maxPacket) {
    this.#events = events
    this.#maxPacket = maxPacket
    this.#limit = maxFirst
  }

  /** The encoding of the stream; true while nothing has told it. */
  get text(): boolean {
    return this.#text
  }

  /** Whether the start of a packet is there without its end. */
  get partial(): boolean {
    return this.#heldBytes > 0
  }

  /** Hands on nothing more, not even of the chunk that is being taken. */
  stop(): void {
    this.#mode = 'ended'
    this.#held = nothing
    this.#heldBytes = 0
  }

  /** Takes what the network gave, in any pieces. The bytes are not kept. Not to be called from within `packet`. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.#mode === 'unknown') this.#begin(chunk[0] as number)
    if (this.#mode === 'binary') this.#pushBinary(chunk)
    else if (this.#mode === 'text') this.#pushLines(chunk)
  }

  #begin(first: number): void {
    this.#text = first !== 0
    if (first === 0) this.#mode = 'binary'
    else if (first === OPEN_BRACKET) this.#mode = 'text'
    else this.#break('bad_frame')
  }

  #break(reason: 'bad_frame' | 'too_large'): void {
    this.stop()
    this.#events.broken(reason)
  }

  #pushBinary(chunk: Uint8Array): void {
    let at = this.#heldBytes > 0 ? this.#completeBinary(chunk) : 0
    while (this.#mode === 'binary' && at + PREFIX <= chunk.length) {
      const length = prefixOf(chunk, at)
      if (!this.#isAllowed(length)) return
      const end = at + PREFIX + length
      if (end > chunk.length) break
      this.#handOn(lent(chunk, at + PREFIX, end), false)
      at = end
    }
    if (this.#mode === 'binary') this.#hold(chunk, at, chunk.length)
  }

  /** Adds what completes the packet that is held, hands it on if it is whole, and returns where the next one begins. */
  #completeBinary(chunk: Uint8Array): number {
    let at = 0
    if (this.#heldBytes < PREFIX) {
      at = Math.min(chunk.length, PREFIX - this.#heldBytes)
      this.#hold(chunk, 0, at)
      if (this.#heldBytes < PREFIX) return at
    }
    const length = prefixOf(this.#held, 0)
    if (!this.#isAllowed(length)) return at
    const end = Math.min(chunk.length, at + PREFIX + length - this.#heldBytes)
    this.#hold(chunk, at, end)
    if (this.#heldBytes === PREFIX + length) this.#handOn(this.#release().subarray(PREFIX, PREFIX + length), false)
    return end
  }

  /** §1: an empty packet holds no frame; a length above the limit is no length at all when it is the first thing said. */
  #isAllowed(length: number): boolean {
    if (length > 0 && length <= this.#limit) return true
    const isLength = length > 0 && (this.#begun || length <= this.#maxPacket)
    this.#break(isLength ? 'too_large' : 'bad_frame')
    return false
  }

  #pushLines(chunk: Uint8Array): void {
    let at = 0
    while (this.#mode === 'text' && at < chunk.length) {
      const end = chunk.indexOf(LINE_FEED, at)
      const stop = end < 0 ? chunk.length : end
      // One more for the carriage return, which is no part of the packet.
      if (this.#heldBytes + stop - at > this.#limit + 1) {
        this.#break('too_large')
        return
      }
      if (end < 0 || this.#heldBytes > 0) this.#hold(chunk, at, stop)
      if (end >= 0) this.#line(this.#heldBytes > 0 ? this.#release() : lent(chunk, at, stop))
      at = stop + 1
    }
  }

  #line(line: Uint8Array): void {
    const length = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length
    if (length > this.#limit) this.#break('too_large')
    else if (length > 0) this.#handOn(line.subarray(0, length), true)
  }

  #handOn(packet: Uint8Array, text: boolean): void {
    this.#begun = true
    this.#limit = this.#maxPacket
    this.#events.packet(packet, text)
  }

  /** Copies a part of the chunk behind what is held. */
  #hold(chunk: Uint8Array, start: number, end: number): void {
    if (start >= end) return
    const size = this.#heldBytes + end - start
    if (size > this.#held.length) {
      const grown = new Uint8Array(
        Math.max(FIRST_BUFFER, size, Math.min(2 * this.#held.length, this.#maxPacket + PREFIX)),
      )
      grown.set(this.#held.subarray(0, this.#heldBytes))
      this.#held = grown
    }
    this.#held.set(chunk.subarray(start, end), this.#heldBytes)
    this.#heldBytes = size
  }

  /** What is held, which is then no longer held. */
  #release(): Uint8Array {
    const held = this.#held.subarray(0, this.#heldBytes)
    this.#held = nothing
    this.#heldBytes = 0
    return held
  }
}

/**
 * A part of a chunk, where it lies. As bare bytes also of a `Buffer` of Node: who keeps a packet copies it by `slice`, which for that would
 * keep the whole chunk instead.
 */
function lent(chunk: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start)
}

function prefixOf(bytes: Uint8Array, at: number): number {
  let length = 0
  for (let i = 0; i < PREFIX; i++) length = length * 256 + (bytes[at + i] as number)
  return length
}

/** Bytes that a packet takes on a stream. */
export function framedSize(packet: Uint8Array, text: boolean): number {
  return packet.length + (text ? 1 : PREFIX)
}

/** Writes a packet as it goes on a stream to `into` at `at`, and returns where it ends. */
export function writeFramed(packet: Uint8Array, text: boolean, into: Uint8Array, at: number): number {
  if (text) {
    into.set(packet, at)
    into[at + packet.length] = LINE_FEED
    return at + packet.length + 1
  }
  const { length } = packet
  for (let i = 0; i < PREFIX; i++) into[at + i] = length >>> (24 - 8 * i)
  into.set(packet, at + PREFIX)
  return at + PREFIX + length
}
