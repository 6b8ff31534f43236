/**
 * A client of any system under measurement, as a load sees it.
 *
 * One message is: sent, delivered, acked by its recipient as far as the system has acks, receipted to its sender. Each party speaks the
 * protocol of its system by hand on a bare socket, with nothing that a measurement does not need, and writes what a turn of
 * the loop produced in one go: that favours no system, and keeps the load cheaper than any server.
 */
import { Buffer } from 'node:buffer'
import type { Service } from './service.ts'

export interface Party {
  /** By which others aim at it. */
  readonly address: string
  /** Whom it sends to from now on. */
  aim(address: string): void
  /** Adds one message to this turn; its tag arrives with it. */
  send(tag: number): void
  /** Adds one message to everybody in the room. */
  publish(tag: number): void
  /** Ends the turn: what was added is written. Within events of the party itself this happens anyway. */
  flush(): void
  /** Resolves when the connection is gone. */
  leave(): Promise<void>
}

/** A party is named by the number that its load gave it. */
export interface PartyEvents {
  received(party: number, tag: number): void
  /** The receipts of so many messages have come, the oldest ones. */
  settled(party: number, count: number): void
  /** What must not happen in a measurement. */
  trouble(text: string): void
}

export interface Guest {
  readonly number: number
  /** Its own among all who are there. */
  readonly seat: number
  readonly events: PartyEvents
  /** Enters the room, so that what is published reaches it. */
  readonly room: boolean
  /** Known under this name while it is away, and what is sent to it waits; null: nobody in particular. */
  readonly name: string | null
}

export type Connect = (service: Service, guest: Guest) => Promise<Party>

/** Bytes of a message's body, the tag in its last eight. */
export const BODY = 128

/** What one turn of one party adds up to. One for all parties, since each finishes its turn before the next begins one. */
export class Gathered {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(8 * 1024 * 1024)
  end = 0

  get isEmpty(): boolean {
    return this.end === 0
  }

  /** A template with a tag in its last eight bytes. */
  tagged(template: Buffer, tag: number): void {
    this.bytes.set(template, this.end)
    this.end = this.bytes.writeDoubleBE(tag, this.end + template.length - 8)
  }

  add(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.end)
    this.end += bytes.length
  }

  text(text: string): void {
    this.end += this.bytes.write(text, this.end, 'latin1')
  }

  /** What was gathered; valid until more is. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.end)
    this.end = 0
    return taken
  }
}

export const gathered: Gathered = new Gathered()
