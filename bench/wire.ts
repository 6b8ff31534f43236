/**
 * The few frames that a load generator needs, written and read by hand.
 *
 * The product's own codec checks everything, as it must; a load generator that shares a machine with the server it measures
 * may not. So frames are templates in which two numbers are patched, and what comes in is trusted: it is our own server's.
 */

/** Bytes of a message's body: room for the tag at least, and at most what `bin 8` can say with one length byte. */
export const MIN_BODY = 8
export const MAX_BODY = 255

const SEND_N = 7
const SEND_FLOOR = 12

/** `["send", n, floor, target, nil, body]` with room for two numbers of four bytes. */
export function sendTemplate(target: string, bodyBytes: number): Buffer {
  if (bodyBytes < MIN_BODY || bodyBytes > MAX_BODY) throw new RangeError(`a body of ${bodyBytes} bytes`)
  return Buffer.concat([
    Buffer.from([0x96, 0xa4]),
    Buffer.from('send'),
    Buffer.from([0xce, 0, 0, 0, 1, 0xce, 0, 0, 0, 1]),
    text(target),
    Buffer.from([0xc0, 0xc4, bodyBytes]),
    Buffer.alloc(bodyBytes, 0x61),
  ])
}

/** Copies a template to `at`, sets its numbers and ends its body with the tag; returns the end. */
export function writeSend(out: Buffer, at: number, template: Buffer, n: number, floor: number, tag: number): number {
  out.set(template, at)
  out.writeUInt32BE(n, at + SEND_N)
  out.writeUInt32BE(floor, at + SEND_FLOOR)
  return out.writeDoubleBE(tag, at + template.length - 8)
}

const ackHead = Buffer.concat([Buffer.from([0x92, 0xa3]), Buffer.from('ack'), Buffer.from([0xce])])

/** `["ack", seq]`; returns the end. */
export function writeAck(out: Buffer, at: number, seq: number): number {
  out.set(ackHead, at)
  return out.writeUInt32BE(seq, at + ackHead.length)
}

export interface Greeting {
  readonly id?: string
  readonly secret?: string
  readonly outbox: string
}

export function hello(greeting: Greeting): Buffer {
  const pairs = Object.entries(greeting).flatMap(([key, value]) => [text(key), text(String(value))])
  return Buffer.concat([
    Buffer.from([0x92]),
    text('hello'),
    Buffer.from([0x80 | (2 + pairs.length / 2)]),
    text('v'),
    Buffer.from([1]),
    text('attempt'),
    Buffer.from([1]),
    ...pairs,
  ])
}

/** `["join", 1, room]`; its reply has that ref. */
export function join(room: string): Buffer {
  return Buffer.concat([Buffer.from([0x93]), text('join'), Buffer.from([1]), text(room)])
}

export const pong: Buffer = Buffer.concat([Buffer.from([0x91]), text('pong')])
export const bye: Buffer = Buffer.concat([Buffer.from([0x91]), text('bye')])

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  if (bytes.length > 255) throw new RangeError('a name of more than 255 bytes')
  return Buffer.concat([Buffer.from(bytes.length < 32 ? [0xa0 | bytes.length] : [0xd9, bytes.length]), bytes])
}

/** Walks over MessagePack values that are known to be well formed. */
export class Reader {
  bytes: Buffer = Buffer.alloc(0)
  at = 0

  /** An array's or map's head: the count in it. */
  count(): number {
    const head = this.bytes[this.at++]!
    if (head === 0xdc || head === 0xde) {
      this.at += 2
      return this.bytes.readUInt16BE(this.at - 2)
    }
    return head & 0x0f
  }

  integer(): number {
    const head = this.bytes[this.at++]!
    if (head < 0x80) return head
    const width = 1 << (head & 3)
    this.at += width
    if (width === 8) return Number(this.bytes.readBigUInt64BE(this.at - 8))
    return this.bytes.readUIntBE(this.at - width, width)
  }

  string(): string {
    const length = this.#stringLength()
    this.at += length
    return this.bytes.toString('latin1', this.at - length, this.at)
  }

  /** The first character of a string, which tells the frames that a load generator meets apart; steps over it. */
  initial(): number {
    const length = this.#stringLength()
    const first = this.bytes[this.at]!
    this.at += length
    return first
  }

  skip(): void {
    const head = this.bytes[this.at]!
    if (head < 0x80 || head >= 0xe0 || (head >= 0xc0 && head <= 0xc3)) this.at++
    else if (head < 0x90) this.#skipMany(this.count() * 2)
    else if (head < 0xa0) this.#skipMany(this.count())
    else if (head < 0xc0 || (head >= 0xd9 && head <= 0xdb)) this.initial()
    else if (head <= 0xc6) this.#skipBytes(1 << (head - 0xc4))
    else if (head >= 0xca && head <= 0xd3) this.at += 1 + widths[head - 0xca]!
    else if (head === 0xdc) this.#skipMany(this.count())
    else if (head === 0xde) this.#skipMany(this.count() * 2)
    else throw new Error(`a value that the load generator does not expect: 0x${head.toString(16)}`)
  }

  #skipMany(count: number): void {
    for (let i = 0; i < count; i++) this.skip()
  }

  #skipBytes(width: number): void {
    this.at += 1 + width + this.bytes.readUIntBE(this.at + 1, width)
  }

  /** What the body ends with that was just stepped over. */
  tag(): number {
    return this.bytes.readDoubleBE(this.at - 8)
  }

  /** Leaves `at` on the first byte of the string. */
  #stringLength(): number {
    const head = this.bytes[this.at++]!
    if (head < 0xc0) return head & 0x1f
    const width = 1 << (head - 0xd9)
    this.at += width
    return this.bytes.readUIntBE(this.at - width, width)
  }
}

/** Bytes after the heads 0xca to 0xd3: two floats, four unsigned and four signed integers. */
const widths = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8]
