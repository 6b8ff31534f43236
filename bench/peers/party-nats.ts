/**
 * A client of NATS, in its two kinds.
 *
 * Core: a request, which the recipient answers; nothing is kept, so what is lost is lost. JetStream: the message goes into a stream on disk, whose word is
 * the receipt; a push consumer for each client delivers it, and it leaves the stream when it is acked.
 */
import { Buffer } from 'node:buffer'
import { Pipe, found, stream, type Address, type PipeEvents, type Wire } from '../pipe.ts'
import { BODY, gathered, type Guest, type Party } from './party.ts'

const LINE_FEED = 0x0a
const SPACE = 0x20

/** Lines, and after one that begins with MSG its payload. */
export const nats: Wire = stream((bytes, at) => {
  const line = bytes.indexOf(LINE_FEED, at)
  if (line < 0) return false
  found.start = at
  found.end = line + 1 + (isMessage(bytes, at) ? payloadOf(bytes, line) + 2 : 0)
  found.close = false
  return true
})

/** MSG, and not the M of anything else. */
function isMessage(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0x4d && bytes[at + 1] === 0x53
}

/** The number at the end of the line whose line feed is at `line`, and so the bytes of the payload. */
function payloadOf(bytes: Buffer, line: number): number {
  let size = 0
  for (let at = line - 2, unit = 1; bytes[at] !== SPACE; at--, unit *= 10) size += (bytes[at]! - 0x30) * unit
  return size
}

/** By what the server says that a message was for: subscriptions are numbered. */
const MESSAGES = 1
const RECEIPTS = 2
const GROUP = 3
const ANSWERS = 4

const STREAM = 'bench'

export class NatsParty implements Party, PipeEvents {
  readonly address: string
  readonly #guest: Guest
  readonly #pipe: Pipe
  readonly #durable: boolean
  #head = ''
  readonly #body = Buffer.alloc(BODY, 0x61)
  #entered: () => void = () => {}

  private constructor(address: Address, guest: Guest, durable: boolean) {
    this.#guest = guest
    this.#durable = durable
    this.address = guest.name ?? `c${guest.seat}`
    this.#pipe = new Pipe(address, this)
  }

  /** `durable`: by JetStream. */
  static open(address: Address, guest: Guest, durable: boolean): Promise<Party> {
    return new Promise(resolve => {
      const party = new NatsParty(address, guest, durable)
      party.#entered = () => resolve(party)
      party.#pipe.open()
    })
  }

  aim(address: string): void {
    this.#head = `PUB ${this.#durable ? 'j' : 'm'}.${address} r.${this.address} ${BODY}\r\n`
  }

  send(tag: number): void {
    gathered.text(this.#head)
    gathered.tagged(this.#body, tag)
    gathered.add(END)
  }

  publish(tag: number): void {
    gathered.text(`PUB room ${BODY}\r\n`)
    gathered.tagged(this.#body, tag)
    gathered.add(END)
  }

  flush(): void {
    if (!gathered.isEmpty) this.#pipe.write(gathered.take())
  }

  leave(): Promise<void> {
    return this.#pipe.leave(null)
  }

  ready(): void {
    const messages = this.#durable ? `d.${this.address}` : `m.${this.address}`
    const first = [
      'CONNECT {"verbose":false,"pedantic":false,"echo":true}',
      `SUB ${messages} ${MESSAGES}`,
      `SUB r.${this.address} ${RECEIPTS}`,
      ...(this.#guest.room ? [`SUB room ${GROUP}`] : []),
      ...(this.#durable ? [`SUB a.${this.address} ${ANSWERS}`] : []),
      'PING',
    ]
    this.#pipe.write(Buffer.from(`${first.join('\r\n')}\r\n`))
  }

  packet(bytes: Buffer, start: number, end: number): void {
    if (isMessage(bytes, start)) this.#message(bytes, start, end)
    else if (bytes[start] === 0x50 && bytes[start + 1] === 0x49) gathered.text('PONG\r\n')
    else if (bytes[start] === 0x50) this.#heard()
    else if (bytes[start] === 0x2d) this.trouble(bytes.toString('latin1', start, end))
  }

  turnEnded(): void {
    this.flush()
  }

  trouble(text: string): void {
    this.#guest.events.trouble(text)
  }

  /** All that was said first is in force. */
  #heard(): void {
    if (!this.#durable) this.#entered()
    else
      this.#ask(`CONSUMER.DURABLE.CREATE.${STREAM}.${this.address}`, { stream_name: STREAM, config: this.#consumer() })
  }

  #consumer(): object {
    return {
      durable_name: this.address,
      deliver_subject: `d.${this.address}`,
      filter_subject: `j.${this.address}`,
      ack_policy: 'explicit',
      ack_wait: 30e9,
      max_ack_pending: 1000,
    }
  }

  /** A call of the API of JetStream, whose answer comes to `a.…`. */
  #ask(subject: string, request: object): void {
    const payload = JSON.stringify(request)
    this.#pipe.write(Buffer.from(`PUB $JS.API.${subject} a.${this.address} ${payload.length}\r\n${payload}\r\n`))
  }

  /** `MSG subject subscription [reply] bytes`, then the payload. */
  #message(bytes: Buffer, start: number, end: number): void {
    const { number, events } = this.#guest
    const subscription = bytes.indexOf(SPACE, start + 4) + 1
    switch (bytes[subscription]! - 0x30) {
      case MESSAGES:
        this.#answer(bytes, subscription + 2)
        events.received(number, bytes.readDoubleBE(end - 10))
        return
      case RECEIPTS:
        events.settled(number, 1)
        return
      case GROUP:
        events.received(number, bytes.readDoubleBE(end - 10))
        return
      default:
        this.#answered(bytes.toString('latin1', start, end))
    }
  }

  /** An empty message to where the message says: the reply of core, and the ack of JetStream. */
  #answer(bytes: Buffer, reply: number): void {
    const end = bytes.indexOf(SPACE, reply)
    gathered.text('PUB ')
    gathered.add(bytes.subarray(reply, end))
    gathered.text(' 0\r\n\r\n')
  }

  #answered(answer: string): void {
    // Only the first client has to make it.
    if (answer.includes('stream not found')) {
      this.#ask(`STREAM.CREATE.${STREAM}`, { name: STREAM, subjects: ['j.>'], retention: 'workqueue', storage: 'file' })
    } else if (answer.includes('invalid stream')) {
      // It is being made just now.
      setTimeout(() => this.#heard(), 50)
    } else if (answer.includes('"error"')) this.trouble(answer)
    else if (answer.includes('stream_create')) this.#heard()
    else this.#entered()
  }
}

const END = Buffer.from('\r\n')
