/** A client of ackd: the peer of the product's own bench, in the shape that all systems share. */
import { Peer, type PeerEvents, type Stream } from '../peer.ts'
import type { Address } from '../pipe.ts'
import { sendTemplate } from '../wire.ts'
import { BODY, type Guest, type Party } from './party.ts'

export class AckdParty implements Party, PeerEvents {
  readonly #guest: Guest
  #peer: Peer | null = null
  #stream: Stream | null = null
  #room: Stream | null = null

  private constructor(guest: Guest) {
    this.#guest = guest
  }

  static async open(address: Address, guest: Guest): Promise<Party> {
    const party = new AckdParty(guest)
    const name = `${address.port} ${guest.name ?? ''}`
    const known = guest.name === null ? null : (credentials.get(name) ?? null)
    party.#peer = await Peer.open(address, party, known)
    const { id, secret } = party.#peer
    if (guest.name !== null && known === null) credentials.set(name, { id, secret })
    if (guest.room) await party.#peer.join(ROOM)
    return party
  }

  get address(): string {
    return this.#peer?.id ?? ''
  }

  aim(address: string): void {
    const { streams } = this.#peer!
    this.#stream = streams.get(address) ?? this.#peer!.stream(address, sendTemplate(address, BODY), RING)
  }

  send(tag: number): void {
    this.#peer!.send(this.#stream!, tag)
  }

  /** Who speaks to a room is in it, so the speaker is told too, and does not count. */
  publish(tag: number): void {
    const peer = this.#peer!
    if (this.#room === null) {
      void peer.join(ROOM)
      this.#room = peer.stream(ROOM, sendTemplate(ROOM, BODY), RING)
    }
    peer.send(this.#room, tag)
    peer.flush()
  }

  flush(): void {
    this.#peer!.flush()
  }

  leave(): Promise<void> {
    return this.#peer!.leave()
  }

  settled(_peer: Peer, _stream: Stream, from: number, to: number): void {
    this.#guest.events.settled(this.#guest.number, to - from)
  }

  received(_peer: Peer, tag: number): void {
    if (this.#room === null) this.#guest.events.received(this.#guest.number, tag)
  }

  trouble(text: string): void {
    this.#guest.events.trouble(text)
  }
}

/** The room that is always there. */
const ROOM = '#lobby'

/** Messages of one stream that may be on their way; a power of two. */
const RING = 128

/** Of those who come back, by the port of their server and their name. */
const credentials = new Map<string, { readonly id: string; readonly secret: string }>()
