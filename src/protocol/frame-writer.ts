/**
 * What the encoders write through: one implementation for each encoding, `binary-writer.ts` and `text-writer.ts`.
 *
 * Any frame can be written as a list of values and a body. The frequent ones have methods of their own, so that an encoding may
 * write them without making the list.
 */
import type { Body, HistoryPage, Ref } from './frames.ts'
import type { PacketOutput } from './output.ts'

export interface FrameWriter extends PacketOutput {
  /** Which encoding it writes. */
  readonly text: boolean
  /** Writes the array of these values and then the body, if there is one. Throws like `encodeBody`, and has then written nothing. */
  frame(values: readonly unknown[], body?: Body): void
  send(n: number, floor: number, target: string, ttl: number, body: Body): void
  ack(seq: number): void
  message(seq: number, from: string, outbox: string, n: number, time: number, flags: number, body: Body): void
  room(room: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void
  /** See `ServerVoice`. */
  history(ref: Ref, page: HistoryPage, maxBytes: number, newest: boolean): void
  /** Puts whole packets, which are in this very encoding and never change, behind what was written. */
  lend(packets: readonly Uint8Array[]): void
  receipt(kind: 'delivered' | 'stored', target: string, n: number): void
}
