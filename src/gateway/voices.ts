/**
 * The encoders of all connections. One is lent to a connection for a turn of the loop in which it has something to say, so that who says
 * nothing holds none.
 */
import { createServerFrameEncoder, type PacketOutput } from '../protocol/codec.ts'
import type { ServerVoice } from '../protocol/frames.ts'

export type Voice = ServerVoice & PacketOutput

/** Of each encoding that wait for the next who speaks; more are thrown away. */
const SPARE = 1_024

export class Voices {
  readonly #text: Voice[] = []
  readonly #binary: Voice[] = []

  lend(text: boolean): Voice {
    return (text ? this.#text : this.#binary).pop() ?? createServerFrameEncoder(text)
  }

  /** Takes one back. What is pending in it is forgotten. */
  giveBack(voice: Voice, text: boolean): void {
    voice.discard()
    const spare = text ? this.#text : this.#binary
    if (spare.length < SPARE) spare.push(voice)
  }
}
