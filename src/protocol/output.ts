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

/**
 * Buffers that are kept for the next who needs one: of 512 bytes and of two, four … times as many, up to 128 KiB. Up to 4 MiB of each size: what a
 * turn takes in which a thousand are told a few things each, or two hundred many. Others have to be cleared and collected.
 */
const SMALLEST = 512
const KEPT_BYTES = 4 * 1024 * 1024
const spare: Uint8Array[][] = [[], [], [], [], [], [], [], [], []]
const LARGEST = SMALLEST * 2 ** (spare.length - 1)

/** The place of a size among the spare buffers, or beyond them. */
function placeOf(size: number): number {
  return 32 - Math.clz32((size - 1) >>> 9)
}

function take(size: number): Uint8Array {
  const place = placeOf(size)
  return spare[place]?.pop() ?? new Uint8Array(SMALLEST * 2 ** place)
}

function giveBack(buffer: Uint8Array): void {
  const kept = spare[placeOf(buffer.length)]
  if (kept !== undefined && kept.length * buffer.length < KEPT_BYTES) kept.push(buffer)
}

/** The end of a packet that was written here, or a packet of others. */
type Cut = number | Uint8Array

const uncut: Cut[] = []

export class Output {
  /** Only valid until the next `reserve`. */
  bytes: Uint8Array = nothing
  /** Where the next byte goes; whoever writes moves it. */
  at = 0
  /** The packets, the last one apart, which has no end yet. */
  #cuts = uncut
  #lastCut = 0
  #lentBytes = 0
  /**
   * Bytes at the last flush: who wrote much goes on to do so, and need not grow to it again. But it may be another one who writes with it next,
   * so no more than a buffer that is kept.
   */
  #usual = 0

  /** Makes room for that many more bytes and returns the buffer. */
  reserve(more: number): Uint8Array {
    const size = this.at + more
    return size <= this.bytes.length ? this.bytes : this.#grow(size)
  }

  #grow(size: number): Uint8Array {
    const old = this.bytes
    this.bytes = take(Math.max(size, this.#usual))
    if (old.length > 0) {
      this.bytes.set(old.subarray(0, this.at))
      giveBack(old)
    }
    return this.bytes
  }

  /** Ends the packet at this place, unless it would be empty. */
  cut(at: number): void {
    if (at === this.#lastCut) return
    this.#add(at)
    this.#lastCut = at
  }

  /** Puts a whole packet behind what was written. It is not copied, so its bytes must never change. */
  lend(packet: Uint8Array): void {
    this.cut(this.at)
    this.#add(packet)
    this.#lentBytes += packet.length
  }

  #add(cut: Cut): void {
    if (this.#cuts === uncut) this.#cuts = [cut]
    else this.#cuts.push(cut)
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
    if (this.bytes !== nothing) giveBack(this.bytes)
    this.#reset()
  }

  #reset(): void {
    this.bytes = nothing
    this.at = 0
    this.#lastCut = 0
    this.#cuts = uncut
    this.#lentBytes = 0
  }

  /** Hands out the packets and starts anew; see `PacketOutput`. What is written meanwhile waits for the next flush. */
  flush(write: WritePacket, text: boolean): boolean {
    if (this.pending === 0) return true
    const { bytes, at } = this
    const cuts = this.#cuts
    this.#usual = Math.min(at, LARGEST)
    this.#reset()
    let start = 0
    let taken = true
    for (const cut of cuts) {
      if (!taken) break
      taken = write(typeof cut === 'number' ? bytes.subarray(start, cut) : cut, text)
      if (typeof cut === 'number') start = cut
    }
    if (taken && start < at) taken = write(bytes.subarray(start, at), text)
    if (bytes !== nothing) giveBack(bytes)
    return taken
  }
}
