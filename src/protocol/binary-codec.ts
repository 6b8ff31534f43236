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

/** What a server says; see `PacketDecoder` for its methods. */
export function createBinaryServerDecoder(frames: ServerFrames): BinaryDecoder<ServerFrames> {
  return new BinaryDecoder(frames, serverDialect)
}
