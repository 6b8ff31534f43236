/**
 * The codec: bytes to method calls and back, for both ends and both encodings. The door to everything else in this folder.
 *
 * A decoder is given whole packets and calls one method of its `frames` per frame. An encoder *is* a `ClientFrames` or a
 * `ServerFrames`: its methods write frames into a buffer, and `flush` hands out what was written as packets. So many frames
 * written in one turn of the loop leave as one binary packet, and an idle connection holds no buffer.
 *
 *   const decoder = createClientFrameDecoder(frames)       // the server's ear: calls a ClientFrames
 *   const reason = decoder.decode(bytes, start, end, text) // null: all well; else why the packet is a bad frame
 *   const encoder = createServerFrameEncoder(text)         // the server's mouth: is a ServerFrames
 *   encoder.ping()
 *   encoder.flush((packet, text) => pipe.write(packet, text))
 */
import type { ClientFrames, ServerFrames } from './frames.ts'

export interface PacketDecoder {
  /**
   * Calls `frames` for every frame of one packet, in order, and returns null; or the reason, for people, why the packet is a bad
   * frame, when the frames before the bad one were handed on already. Never throws on input and never reads outside
   * `start`…`end`. Bodies point into `bytes`, which must therefore never change again. What a method of `frames` throws comes through.
   */
  decode(bytes: Uint8Array, start: number, end: number, text: boolean): string | null
  /** Ends it: no further frame is handed on, not even of the packet that is being decoded. May be called from within a frame. */
  stop(): void
}

/** Takes one packet, whose bytes are only lent for the time of the call. False: it was dropped; nothing more must be written. */
export type WritePacket = (packet: Uint8Array, text: boolean) => boolean

export interface PacketOutput {
  /** Bytes that were written and not flushed. There is no limit here: the owner flushes once per turn, or earlier above its own mark. */
  readonly pending: number
  /**
   * Hands out all that is pending, as few packets as the encoding allows, and frees the buffer. Stops at the first packet that
   * was dropped, forgets the rest and returns false.
   */
  flush(write: WritePacket): boolean
  /** Forgets what is pending. */
  discard(): void
}

export declare function createClientFrameDecoder(frames: ClientFrames): PacketDecoder
export declare function createServerFrameDecoder(frames: ServerFrames): PacketDecoder
/**
 * A binary packet holds as many frames as fit into `maxPacket` bytes, a single larger frame apart; a text packet holds one.
 * A body in the other encoding is transcoded on the way.
 */
export declare function createClientFrameEncoder(text: boolean, maxPacket?: number): ClientFrames & PacketOutput
export declare function createServerFrameEncoder(text: boolean, maxPacket?: number): ServerFrames & PacketOutput
