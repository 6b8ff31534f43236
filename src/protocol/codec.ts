/**
 * The codec: bytes to method calls and back, for both ends and both encodings. The door to everything else in this folder.
 *
 * A decoder is given whole packets and calls one method of its `frames` per frame. An encoder *is* a `ClientFrames` or a
 * `ServerFrames`: its methods write frames into a buffer, and `flush` hands out what was written as packets. So many frames
 * written in one turn of the loop leave as one binary packet, and an idle connection holds no buffer.
 *
 *   const decoder = createClientFrameDecoder(frames)       // the server's ear: calls a ClientFrames
 *   const reason = decoder.decode(bytes, start, end, text) // null: all well; else why the packet is a bad frame
 *   const encoder = createServerFrameEncoder(text)         // the server's mouth: is a ServerVoice
 *   encoder.ping()
 *   encoder.flush((packet, text) => pipe.write(packet, text))
 */
import { BinaryWriter } from './binary-writer.ts'
import { clientDialect } from './client-frames.ts'
import { BinaryDecoder } from './decode-binary.ts'
import { decodeText } from './decode-text.ts'
import type { Dialect } from './dialect.ts'
import { ClientEncoder, ServerEncoder } from './encode.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { Body, ClientFrames, ServerFrames, ServerVoice } from './frames.ts'
import type { PacketOutput } from './output.ts'
import { serverDialect } from './server-frames.ts'
import { TextWriter } from './text-writer.ts'
import { inEncoding } from './transcode.ts'

export type { PacketOutput, WritePacket } from './output.ts'

export interface PacketDecoder {
  /**
   * Calls `frames` for every frame of one packet, in order, and returns null; or the reason, for people, why the packet is a bad
   * frame, when the frames before the bad one were handed on already. Never throws on input and never reads outside
   * `start`…`end`. Bodies point into `bytes`, which must therefore never change again. What a method of `frames` throws comes through.
   * Not to be called from within a frame of the same decoder.
   */
  decode(bytes: Uint8Array, start: number, end: number, text: boolean): string | null
  /** Ends it: no further frame is handed on, not even of the packet that is being decoded. May be called from within a frame. */
  stop(): void
}

/** Bytes above which a binary packet takes no further frame; well below any `maxPacket`. */
const PACKET_BYTES = 65_536

class FrameDecoder<F> implements PacketDecoder {
  readonly #binary: BinaryDecoder<F>
  readonly #frames: F
  readonly #dialect: Dialect<F>
  #stopped = false

  constructor(frames: F, dialect: Dialect<F>) {
    this.#binary = new BinaryDecoder(dialect)
    this.#frames = frames
    this.#dialect = dialect
  }

  decode(bytes: Uint8Array, start: number, end: number, text: boolean): string | null {
    if (this.#stopped) return null
    return text
      ? decodeText(bytes, start, end, this.#frames, this.#dialect)
      : this.#binary.decode(this.#frames, bytes, start, end)
  }

  stop(): void {
    this.#stopped = true
    this.#binary.stop()
  }
}

/**
 * One decoder for all the connections of a server, so that none of them holds one. It hears one packet at a time: what a frame brings about
 * must not bring it another.
 */
export class SharedDecoder {
  readonly #binary = new BinaryDecoder(clientDialect)
  /** Whose packet is being decoded. */
  #frames: ClientFrames | null = null

  /** See `PacketDecoder.decode`. */
  decode(frames: ClientFrames, bytes: Uint8Array, start: number, end: number, text: boolean): string | null {
    if (this.#frames !== null) throw new Error('A packet came while another one was being decoded.')
    this.#frames = frames
    try {
      if (text) return decodeText(bytes, start, end, frames, clientDialect)
      return this.#binary.decode(frames, bytes, start, end)
    } finally {
      this.#frames = null
    }
  }

  /** Hands no further frame on to these, not even of the packet that is being decoded. */
  stop(frames: ClientFrames): void {
    if (this.#frames === frames) this.#binary.stop()
  }
}

export function createClientFrameDecoder(frames: ClientFrames): PacketDecoder {
  return new FrameDecoder(frames, clientDialect)
}

export function createServerFrameDecoder(frames: ServerFrames): PacketDecoder {
  return new FrameDecoder(frames, serverDialect)
}

const toBinary = (body: Body): Body => inEncoding(body, false)

function createWriter(text: boolean, packetBytes: number): FrameWriter {
  return text ? new TextWriter() : new BinaryWriter(packetBytes, toBinary)
}

/**
 * A binary packet holds as many frames as fit into `packetBytes`, a single larger frame apart; a text packet holds one.
 * A body in the other encoding is transcoded on the way.
 */
export function createClientFrameEncoder(text: boolean, packetBytes = PACKET_BYTES): ClientFrames & PacketOutput {
  return new ClientEncoder(createWriter(text, packetBytes))
}

export function createServerFrameEncoder(text: boolean, packetBytes = PACKET_BYTES): ServerVoice & PacketOutput {
  return new ServerEncoder(createWriter(text, packetBytes))
}
