/**
 * What was written and not sent yet: one growing buffer, cut into packets.
 *
 * Buffers come from a small common store and go back to it at each flush. A connection that says nothing therefore holds none,
 * and one that says a little each turn makes no garbage.
 */

/** Takes one packet, whose bytes are only lent for the time of the call. False: it was dropped; nothing more must be written. */
export type WritePacket = (packet: Uint8Array, text: boolean) => boolean

/** Where frames wait for their turn. */
export interface PacketOutput {
  /** Bytes that were written and not flushed. There is no limit here: the owner flushes once per turn, or earlier above its own mark. */
  readonly pending: number
  /**
   * Hands out all that is pending, in as few packets as the encoding allows, and frees the buffer. Stops at the first packet that
   * was dropped, forgets the rest and returns false.
   */
  flush(write: WritePacket): boolean
  /** Forgets what is pending. */
  discard(): void
}

const nothing = new Uint8Array(0)

/** Stands among the cuts for a packet that was lent. */
const LENT = -1

/** The sizes of buffers that are kept for the next who needs one, and how many of each at most. */
const SMALL = 2048
const LARGE = 65_536
const small: Uint8Array[] = []
const large: Uint8Array[] = []
const SMALL_KEPT = 1024
const LARGE_KEPT = 32

function take(size: number): Uint8Array {
  if (size <= SMALL) return small.pop() ?? new Uint8Array(SMALL)
  if (size <= LARGE) return large.pop() ?? new Uint8Array(LARGE)
  return new Uint8Array(2 ** Math.ceil(Math.log2(size)))
}

function giveBack(buffer: Uint8Array): void {
  if (buffer.length === SMALL && small.length < SMALL_KEPT) small.push(buffer)
  else if (buffer.length === LARGE && large.length < LARGE_KEPT) large.push(buffer)
}

export class Output {
  /** Only valid until the next `reserve`. */
  bytes: Uint8Array = nothing
  /** Where the next byte goes; whoever writes moves it. */
  at = 0
  /** Where packets end, the last one apart. */
  #cuts: number[] = []
  #lastCut = 0
  /** Packets of others, each in the place of a `LENT` among the cuts. */
  #lent: Uint8Array[] = []
  #lentBytes = 0

  /** Makes room for that many more bytes and returns the buffer. */
  reserve(more: number): Uint8Array {
    const size = this.at + more
    return size <= this.bytes.length ? this.bytes : this.#grow(size)
  }

  #grow(size: number): Uint8Array {
    const old = this.bytes
    this.bytes = take(size)
    this.bytes.set(old.subarray(0, this.at))
    giveBack(old)
    return this.bytes
  }

  /** Ends the packet at this place, unless it would be empty. */
  cut(at: number): void {
    if (at === this.#lastCut) return
    this.#cuts.push(at)
    this.#lastCut = at
  }

  /** Puts a whole packet behind what was written. It is not copied, so its bytes must never change. */
  lend(packet: Uint8Array): void {
    this.cut(this.at)
    this.#cuts.push(LENT)
    this.#lent.push(packet)
    this.#lentBytes += packet.length
  }

  /** Bytes that wait for the next flush. */
  get pending(): number {
    return this.at + this.#lentBytes
  }

  /** Bytes of the packet that is being written. */
  get packetBytes(): number {
    return this.at - this.#lastCut
  }

  /** What was written, as bytes of their own; starts anew. */
  takeBytes(): Uint8Array {
    const bytes = this.bytes.slice(0, this.at)
    this.discard()
    return bytes
  }

  discard(): void {
    giveBack(this.bytes)
    this.#reset()
  }

  #reset(): void {
    this.bytes = nothing
    this.at = 0
    this.#lastCut = 0
    if (this.#cuts.length > 0) this.#cuts = []
    if (this.#lentBytes > 0) this.#lent = []
    this.#lentBytes = 0
  }

  /** Hands out the packets and starts anew; see `PacketOutput`. What is written meanwhile waits for the next flush. */
  flush(write: WritePacket, text: boolean): boolean {
    if (this.pending === 0) return true
    this.cut(this.at)
    const { bytes } = this
    const cuts = this.#cuts
    const lent = this.#lent
    this.#reset()
    let start = 0
    let next = 0
    let taken = true
    for (let i = 0; i < cuts.length && taken; i++) {
      const end = cuts[i] as number
      if (end === LENT) taken = write(lent[next++] as Uint8Array, text)
      else {
        taken = write(bytes.subarray(start, end), text)
        start = end
      }
    }
    giveBack(bytes)
    return taken
  }
}
