/**
 * Keeps the bytes of packets, so that the bodies in them may be held on to while a transport reuses its buffer.
 *
 * Small packets are copied one behind the other into slabs, since a buffer per packet costs more than the copy itself. A slab is
 * never written twice; it is freed when the last body in it is. What is larger than a quarter of a slab gets a buffer of its own, and what
 * is too short to hold a body that somebody holds on to, such as a lone ack, is left where it is.
 */
import { Buffer } from 'node:buffer'

const SLAB = 16 * 1024
/** Bytes of the shortest packet with a message that is taken. */
const LEAST_SEND = 12

export class Slab {
  /** Where the last packet was put; valid until the next call. */
  bytes: Uint8Array = new Uint8Array(0)
  #slab: Uint8Array = Buffer.allocUnsafeSlow(SLAB)
  #used = 0

  /** Copies a packet into `bytes`, if anything in it may be held on to, and returns where it starts there. */
  keep(packet: Uint8Array): number {
    const size = packet.length
    if (size < LEAST_SEND) {
      this.bytes = packet
      return 0
    }
    if (size > SLAB / 4) {
      // Not `slice`, which clears what it then writes.
      this.bytes = Buffer.allocUnsafeSlow(size)
      this.bytes.set(packet)
      return 0
    }
    if (this.#used + size > SLAB) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB)
      this.#used = 0
    }
    const start = this.#used
    this.#slab.set(packet, start)
    this.#used += size
    this.bytes = this.#slab
    return start
  }
}
