/**
 * Frames for many at once, such as a room message to all members: encoded once in each encoding that is spoken, whoever they go to.
 *
 * Their packets are shared. An output lends them to its pipe as they are, so a thousand members cost a thousand writes, but
 * neither a thousand encodings nor a thousand copies.
 */
import { createServerFrameEncoder } from './codec.ts'
import type { Broadcast, ServerFrames } from './frames.ts'

/** `say` is called once for each encoding in which somebody is told. */
export function createBroadcast(say: (frames: ServerFrames) => void): Broadcast {
  return new SharedFrames(say)
}

class SharedFrames implements Broadcast {
  readonly say: (frames: ServerFrames) => void
  #binary: readonly Uint8Array[] | null = null
  #text: readonly Uint8Array[] | null = null

  constructor(say: (frames: ServerFrames) => void) {
    this.say = say
  }

  packets(text: boolean): readonly Uint8Array[] {
    if (text) return (this.#text ??= this.#encoded(true))
    return (this.#binary ??= this.#encoded(false))
  }

  #encoded(text: boolean): Uint8Array[] {
    const encoder = createServerFrameEncoder(text)
    this.say(encoder)
    const packets: Uint8Array[] = []
    encoder.flush(packet => packets.push(packet.slice()) > 0)
    return packets
  }
}
