/** A client of the bare relays; `servers/relay-frames.js` says what they speak. Acks and receipts are cumulative, as ackd's are. */
import { Buffer } from 'node:buffer'
import { Pipe, type Address, type PipeEvents } from '../pipe.ts'
import { BODY, gathered, type Guest, type Party } from './party.ts'

const HEAD = 7
const HELLO = 0
const MESSAGE = 1
const ACK = 2
const ROOM = 3

export class RelayParty implements Party, PipeEvents {
  address = ''
  readonly #guest: Guest
  readonly #pipe: Pipe
  readonly #template = frame(MESSAGE, BODY)
  readonly #room = frame(ROOM, BODY)
  readonly #ack = frame(ACK, 4)
  /** Messages of this turn, and who sent them. */
  #received = 0
  #sender = 0
  #entered: () => void = () => {}

  private constructor(address: Address, guest: Guest) {
    this.#guest = guest
    this.#pipe = new Pipe(address, this)
  }

  static open(address: Address, guest: Guest): Promise<Party> {
    return new Promise(resolve => {
      const party = new RelayParty(address, guest)
      party.#entered = () => resolve(party)
      party.#pipe.open()
    })
  }

  aim(address: string): void {
    this.#template.writeUInt32BE(Number(address), 1)
  }

  send(tag: number): void {
    gathered.tagged(this.#template, tag)
  }

  publish(tag: number): void {
    gathered.tagged(this.#room, tag)
  }

  flush(): void {
    if (!gathered.isEmpty) this.#pipe.write(gathered.take())
  }

  leave(): Promise<void> {
    return this.#pipe.leave(null)
  }

  ready(): void {}

  packet(bytes: Buffer, start: number, end: number): void {
    const { number, events } = this.#guest
    for (let at = start; at < end;) {
      const kind = bytes[at]!
      const other = bytes.readUInt32BE(at + 1)
      at += HEAD + bytes.readUInt16BE(at + 5)
      if (kind === ACK) events.settled(number, bytes.readUInt32BE(at - 4))
      else if (kind === HELLO) this.#welcomed(other)
      else {
        if (kind === MESSAGE) this.#count(other)
        events.received(number, bytes.readDoubleBE(at - 8))
      }
    }
  }

  turnEnded(): void {
    this.#acknowledge()
    this.flush()
  }

  trouble(text: string): void {
    this.#guest.events.trouble(text)
  }

  #welcomed(number: number): void {
    this.address = String(number)
    this.#entered()
  }

  #count(sender: number): void {
    if (sender !== this.#sender) this.#acknowledge()
    this.#sender = sender
    this.#received++
  }

  #acknowledge(): void {
    if (this.#received === 0) return
    this.#ack.writeUInt32BE(this.#sender, 1)
    this.#ack.writeUInt32BE(this.#received, HEAD)
    gathered.add(this.#ack)
    this.#received = 0
  }
}

function frame(kind: number, body: number): Buffer {
  const bytes = Buffer.alloc(HEAD + body, 0x61)
  bytes[0] = kind
  bytes.writeUInt32BE(0, 1)
  bytes.writeUInt16BE(body, 5)
  return bytes
}
