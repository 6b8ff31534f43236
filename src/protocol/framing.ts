/**
 * Packets on a byte stream, for TCP and TLS: `u32` big-endian length and that many bytes, or lines of JSON.
 */

/** What the decoder of a stream has found. */
export interface StreamEvents {
  /** `bytes` is only lent for the time of the call. */
  packet(bytes: Uint8Array, text: boolean): void
  /** The stream is beyond repair; nothing more is handed on. */
  broken(reason: 'bad_frame' | 'too_large'): void
}

export declare class StreamDecoder {
  constructor(events: StreamEvents, maxPacket: number)
  /** Takes what the network gave, in any pieces. The bytes are not kept. */
  push(chunk: Uint8Array): void
  /** Hands on nothing more, not even of the chunk that is being taken. */
  stop(): void
  /** Whether the start of a packet is there without its end. */
  get partial(): boolean
}

/** Bytes that a packet takes on a stream. */
export declare function framedSize(packet: Uint8Array, text: boolean): number
/** Writes a packet as it goes on a stream to `into` at `at`, and returns where it ends. */
export declare function writeFramed(packet: Uint8Array, text: boolean, into: Uint8Array, at: number): number
