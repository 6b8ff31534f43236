/**
 * What the two bare relays have in common: the frames, and what is gathered for a connection until the turn of the loop ends.
 *
 * A frame is its kind (u8), a connection (u32), a length (u16) and so many bytes; a packet is frames back to back. A connection is
 * named by the number that it is told when it opens. A relay passes a frame on to the connection that it names, with the sender's
 * number in that place, and does nothing else: it keeps, checks, numbers and counts nothing. A frame of kind ROOM goes to everybody else.
 */
import { Buffer } from 'node:buffer'
import { setImmediate } from 'node:timers'

export const HEAD = 7
export const HELLO = 0
const ROOM = 3

/** Every connection by its number, and those that something was gathered for. */
export class Relay {
  #next = 1
  #connections = new Map()
  #dirty = []

  /** `write` is given what was gathered, once per turn, and must be done with the bytes when it returns. */
  enter(write) {
    const connection = { number: this.#next++, out: new Outbox(), write }
    this.#connections.set(connection.number, connection)
    this.#gather(connection, Buffer.alloc(0), 0, 0, HELLO, connection.number)
    return connection
  }

  leave(connection) {
    this.#connections.delete(connection.number)
  }

  packet(from, bytes) {
    for (let at = 0; at < bytes.length;) {
      const end = at + HEAD + ((bytes[at + 5] << 8) | bytes[at + 6])
      const kind = bytes[at]
      if (kind === ROOM) this.#toAll(from, bytes, at, end)
      else {
        const to = this.#connections.get(numberAt(bytes, at + 1))
        if (to !== undefined) this.#gather(to, bytes, at + HEAD, end, kind, from.number)
      }
      at = end
    }
  }

  #toAll(from, bytes, at, end) {
    for (const to of this.#connections.values()) {
      if (to !== from) this.#gather(to, bytes, at + HEAD, end, ROOM, from.number)
    }
  }

  #gather(to, bytes, start, end, kind, number) {
    if (to.out.at === 0) {
      if (this.#dirty.length === 0) setImmediate(this.#flush)
      this.#dirty.push(to)
    }
    to.out.add(kind, number, bytes, start, end)
  }

  #flush = () => {
    const dirty = this.#dirty
    this.#dirty = []
    for (const { out, write } of dirty) out.flush(write)
  }
}

/** Room before the first frame, for the head that a stream puts before a packet. */
export const PREFIX = 4
const SIZE = 2048
const SPARE = 2048
const spare = []

/** The frames for one connection; its buffer is from a common store and goes back there. */
class Outbox {
  at = 0
  #bytes = null
  /** Where frames begin, for who writes them one by one. */
  starts = []

  add(kind, number, bytes, start, end) {
    const size = HEAD + end - start
    if (this.#bytes === null) {
      this.#bytes = spare.pop() ?? Buffer.allocUnsafeSlow(SIZE)
      this.at = PREFIX
    }
    if (this.at + size > this.#bytes.length) this.#grow(this.at + size)
    const out = this.#bytes
    let { at } = this
    this.starts.push(at)
    out[at++] = kind
    out[at++] = number >>> 24
    out[at++] = number >>> 16
    out[at++] = number >>> 8
    out[at++] = number
    out[at++] = (end - start) >>> 8
    out[at++] = end - start
    if (end - start <= 40) while (start < end) out[at++] = bytes[start++]
    else {
      out.set(bytes.subarray(start, end), at)
      at += end - start
    }
    this.at = at
  }

  #grow(size) {
    const grown = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(size)))
    grown.set(this.#bytes)
    this.#bytes = grown
  }

  flush(write) {
    write(this.#bytes, this.at, this.starts)
    if (spare.length < SPARE) spare.push(this.#bytes)
    this.#bytes = null
    this.at = 0
    this.starts.length = 0
  }
}

function numberAt(bytes, at) {
  return bytes[at] * 0x1000000 + ((bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3])
}
