/**
 * A client of an MQTT broker (3.1.1), at QoS 1 both ways.
 *
 * What its receipt is worth depends on who gives it. The broker's PUBACK says that the broker has the message. For what ackd promises, the
 * recipient has to say so: it publishes a receipt, at QoS 1 as well, to the topic that the message names.
 */
import { Buffer } from 'node:buffer'
import { Pipe, found, stream, webSocketAt, type Address, type PipeEvents, type Wire } from '../pipe.ts'
import { BODY, gathered, type Guest, type Party } from './party.ts'

const CONNACK = 0x20
const PUBLISH = 0x30
const PUBACK = 0x40
const SUBACK = 0x90
const QOS_1 = 0x32

/** Topics are as long as this, so that they lie at known places. */
const TOPIC = 12
/** Bytes before the payload of a publish: its head, with a length of `sizeBytes`, the topic and the number of the packet. */
const head = (sizeBytes: number): number => 1 + sizeBytes + 2 + TOPIC + 2

export const mqttOverTcp: Wire = stream((bytes, at) => {
  const end = endOf(bytes, at)
  if (end < 0) return false
  found.start = at
  found.end = end
  found.close = false
  return true
})

export const mqttOverWebSocket: Wire = webSocketAt('/mqtt', 'mqtt', false)

/** Where the packet at `at` ends; -1 if its head is not whole. */
function endOf(bytes: Buffer, at: number): number {
  let length = 0
  for (let i = 1, shift = 0; at + i < bytes.length; i++, shift += 7) {
    const byte = bytes[at + i]!
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) return at + 1 + i + length
  }
  return -1
}

export class MqttParty implements Party, PipeEvents {
  readonly address: string
  readonly #guest: Guest
  readonly #pipe: Pipe
  /** The recipient gives the receipt, not the broker. */
  readonly #fromRecipient: boolean
  readonly #message = publish('', BODY)
  readonly #receipt = publish('', 8)
  readonly #toRoom = publish(ROOM, BODY)
  #packet = 0
  #entered: () => void = () => {}

  private constructor(address: Address, guest: Guest, fromRecipient: boolean) {
    this.#guest = guest
    this.#fromRecipient = fromRecipient
    this.address = topicOf('m', guest.name ?? String(guest.seat))
    this.#pipe = new Pipe(address, this)
    // The body begins with where its receipt goes.
    if (fromRecipient) this.#message.write(this.#receipts, head(2), 'latin1')
  }

  static open(address: Address, guest: Guest, fromRecipient: boolean): Promise<Party> {
    return new Promise(resolve => {
      const party = new MqttParty(address, guest, fromRecipient)
      party.#entered = () => resolve(party)
      party.#pipe.open()
    })
  }

  get #receipts(): string {
    return this.address.replace('m', 'r')
  }

  aim(address: string): void {
    this.#message.write(address, 5, 'latin1')
  }

  send(tag: number): void {
    this.#publish(this.#message, 2, tag)
  }

  publish(tag: number): void {
    this.#publish(this.#toRoom, 2, tag)
  }

  flush(): void {
    if (!gathered.isEmpty) this.#pipe.write(gathered.take())
  }

  leave(): Promise<void> {
    return this.#pipe.leave(Buffer.from([0xe0, 0]))
  }

  ready(): void {
    this.#pipe.write(connect(this.address, this.#guest.name === null))
  }

  packet(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end;) {
      const next = endOf(bytes, at)
      this.#take(bytes, at, next)
      at = next
    }
  }

  turnEnded(): void {
    this.flush()
  }

  trouble(text: string): void {
    this.#guest.events.trouble(text)
  }

  #publish(template: Buffer, sizeBytes: number, tag: number): void {
    this.#packet = (this.#packet % 0xffff) + 1
    template.writeUInt16BE(this.#packet, head(sizeBytes) - 2)
    gathered.tagged(template, tag)
  }

  #take(bytes: Buffer, at: number, end: number): void {
    switch (bytes[at]! & 0xf0) {
      case PUBLISH:
        this.#published(bytes, at, end)
        return
      case PUBACK:
        if (!this.#fromRecipient) this.#guest.events.settled(this.#guest.number, 1)
        return
      case CONNACK:
        if (bytes[at + 3] !== 0) this.trouble('the broker refused a client')
        // Who comes back has its subscriptions still.
        if ((bytes[at + 2]! & 1) === 1) this.#entered()
        else this.#pipe.write(this.#subscriptions())
        return
      case SUBACK:
        this.#entered()
        return
      default:
        this.trouble(`an unexpected packet: ${bytes[at]!.toString(16)}`)
    }
  }

  #published(bytes: Buffer, at: number, end: number): void {
    const { number, events } = this.#guest
    const topic = bytes[at + 1]! < 0x80 ? at + 4 : at + 5
    gathered.add(PUBACK_HEAD)
    gathered.add(bytes.subarray(topic + TOPIC, topic + TOPIC + 2))
    if (bytes[topic] === RECEIPT_TOPIC) {
      events.settled(number, 1)
      return
    }
    events.received(number, bytes.readDoubleBE(end - 8))
    if (!this.#fromRecipient) return
    const body = topic + TOPIC + 2
    bytes.copy(this.#receipt, 4, body, body + TOPIC)
    this.#publish(this.#receipt, 1, 0)
  }

  #subscriptions(): Buffer {
    const topics = [this.address, this.#receipts, ...(this.#guest.room ? [ROOM] : [])]
    const payload = topics.map(topic => Buffer.concat([text(topic), Buffer.from([1])]))
    return packet(0x82, Buffer.from([0, 1]), ...payload)
  }
}

const PUBACK_HEAD = Buffer.from([PUBACK, 2])
const RECEIPT_TOPIC = 0x72
const ROOM = topicOf('g', 'room')

/** One letter, a slash, and a name that is as long as all others. */
function topicOf(kind: string, name: string): string {
  return `${kind}/${name.padStart(TOPIC - 2, '0')}`
}

function text(value: string): Buffer {
  const bytes = Buffer.from(`  ${value}`, 'latin1')
  bytes.writeUInt16BE(value.length, 0)
  return bytes
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.concat([Buffer.from([first, ...size]), body])
}

function connect(name: string, clean: boolean): Buffer {
  return packet(0x10, text('MQTT'), Buffer.from([4, clean ? 2 : 0, 0, 0]), text(name))
}

/** A publish whose topic, number and tag are set later. */
function publish(topic: string, bytes: number): Buffer {
  return packet(QOS_1, text(topic.padEnd(TOPIC)), Buffer.from([0, 0]), Buffer.alloc(bytes, 0x61))
}
