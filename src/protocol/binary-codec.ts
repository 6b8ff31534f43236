/**
 * The codec of who speaks only MessagePack: the client library, which has to be small. `codec.ts` is the one for both encodings.
 */
import { BinaryWriter } from './binary-writer.ts'
import { BinaryDecoder } from './decode-binary.ts'
import { ClientEncoder } from './encode.ts'
import type { ClientFrames, ServerFrames } from './frames.ts'
import type { PacketOutput } from './output.ts'
import { serverDialect } from './server-frames.ts'

/** Bytes above which a packet takes no further frame; well below any `maxPacket`. */
const PACKET_BYTES = 65_536

/** What a client says. Bodies must be MessagePack. */
export function createBinaryClientEncoder(): ClientFrames & PacketOutput {
  return new ClientEncoder(new BinaryWriter(PACKET_BYTES, body => body))
}

/** See `PacketDecoder`; but a `stop` is only for the packet that is being decoded. */
export interface BinaryPacketDecoder {
  decode(bytes: Uint8Array, start: number, end: number): string | null
  stop(): void
}

/** What a server says. */
export function createBinaryServerDecoder(frames: ServerFrames): BinaryPacketDecoder {
  const decoder = new BinaryDecoder(serverDialect)
  return {
    decode: (bytes, start, end) => decoder.decode(frames, bytes, start, end),
    stop: () => decoder.stop(),
  }
}
