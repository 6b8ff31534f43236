/**
 * The packets of a connection that came before its session was ready: kept up to 4 KiB in all, and then taken in their order (§1).
 */
import { MAX_BEFORE_WELCOME } from '../protocol/limits.ts'

export const TOO_MUCH_BEFORE_WELCOME = `At most ${MAX_BEFORE_WELCOME} bytes may be sent before welcome; wait for it.`

export class EarlyPackets {
  #packets: Uint8Array[] = []
  #bytes = 0
  /** Whether the hello is among them, because frames follow it in its packet. */
  helloKept = false

  /** The first packet, of which only the hello was read. False: it is too large. */
  first(packet: Uint8Array, more: boolean): boolean {
    this.helloKept = more
    if (more) return this.keep(packet)
    this.#bytes = packet.length
    return true
  }

  /** False: it is one too many. */
  keep(packet: Uint8Array): boolean {
    this.#bytes += packet.length
    if (this.#bytes > MAX_BEFORE_WELCOME) return false
    this.#packets.push(packet.slice())
    return true
  }

  /** Hands them over, once. */
  take(): readonly Uint8Array[] {
    const packets = this.#packets
    this.#packets = []
    return packets
  }
}
