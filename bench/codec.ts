/**
 * What the codec costs: nanoseconds of one core per frame. `npx tsx bench/codec.ts`
 *
 * Each line is the best and the median of several rounds over packets of 16 frames, as they come in one turn of the loop. On a machine
 * that does other things at the same time, look at the best.
 */
import { checkValue } from '../src/protocol/check.ts'
import { createClientFrameDecoder, createClientFrameEncoder } from '../src/protocol/codec.ts'
import { createServerFrameDecoder, createServerFrameEncoder } from '../src/protocol/codec.ts'
import type { ClientFrames, ServerFrames } from '../src/protocol/frames.ts'
import { MAX_DEPTH } from '../src/protocol/limits.ts'
import { encodeBody } from '../src/protocol/values.ts'

const ROUNDS = 21
const FRAMES = 200_000
const BATCH = 16

let sum = 0

class CountingClient implements ClientFrames {
  hello(): void {}
  send(n: number, floor: number, target: string): void {
    sum += n + floor + target.length
  }
  ack(seq: number): void {
    sum += seq
  }
  nack(): void {}
  sync(): void {}
  signal(): void {}
  presence(): void {}
  rotate(): void {}
  join(): void {}
  leave(): void {}
  create(): void {}
  delete(): void {}
  rooms(): void {}
  members(): void {}
  history(): void {}
  token(): void {}
  ping(): void {}
  pong(): void {}
  bye(): void {}
  unknown(): void {}
}

class CountingServer implements ServerFrames {
  welcome(): void {}
  message(seq: number, from: string, outbox: string, n: number): void {
    sum += seq + from.length + outbox.length + n
  }
  void(): void {}
  delivered(target: string, n: number): void {
    sum += target.length + n
  }
  stored(): void {}
  ended(): void {}
  failed(): void {}
  retry(): void {}
  room(_room: string, offset: number, from: string, outbox: string, n: number): void {
    sum += offset + from.length + outbox.length + n
  }
  members(): void {}
  signal(): void {}
  reply(): void {}
  error(): void {}
  close(): void {}
  ping(): void {}
  pong(): void {}
  unknown(): void {}
}

const ids = Array.from({ length: 100 }, (_, i) => `client_${String(1_000_000_00 + i)}`)
const binary = encodeBody(new Uint8Array(126), false)
const string = encodeBody('x'.repeat(126), false)

function measure(name: string, round: () => void): void {
  const times: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const start = process.hrtime.bigint()
    for (let done = 0; done < FRAMES; done += BATCH) round()
    times.push(Number(process.hrtime.bigint() - start) / FRAMES)
  }
  times.sort((a, b) => a - b)
  const [best, median] = [times[0] as number, times[ROUNDS >> 1] as number]
  process.stdout.write(`${name.padEnd(40)}${best.toFixed(0).padStart(6)} ns ${median.toFixed(0).padStart(6)} ns
`)
}

/** The packet that a batch of frames makes. */
function packetOf<T extends { flush(write: (packet: Uint8Array) => boolean): boolean }>(
  encoder: T,
  frame: (encoder: T, i: number) => void,
): Uint8Array {
  let made = new Uint8Array(0)
  for (let i = 0; i < BATCH; i++) frame(encoder, i)
  encoder.flush(packet => {
    made = packet.slice()
    return true
  })
  return made
}

function discard(packet: Uint8Array): boolean {
  sum += packet.length
  return true
}

const id = (i: number): string => ids[i % ids.length] as string

const client = createClientFrameEncoder(false)
const server = createServerFrameEncoder(false)
const ear = createClientFrameDecoder(new CountingClient())
const clientEar = createServerFrameDecoder(new CountingServer())

function decodes(name: string, decoder: typeof ear, packet: Uint8Array): void {
  measure(name, () => {
    const wrong = decoder.decode(packet, 0, packet.length, false)
    if (wrong !== null) throw new Error(wrong)
  })
}

function encodes(name: string, encoder: typeof server | typeof client, frame: (i: number) => void): void {
  measure(name, () => {
    for (let i = 0; i < BATCH; i++) frame(i)
    encoder.flush(discard)
  })
}

for (const [kind, body] of [['bin', binary] as const, ['str', string] as const]) {
  measure(`check of a body, 128 bytes, ${kind}`, () => {
    for (let i = 0; i < BATCH; i++) sum += checkValue(body.bytes, body.start, body.end, MAX_DEPTH)
  })
  decodes(
    `decode send, 128 bytes, ${kind}`,
    ear,
    packetOf(client, (to, i) => to.send(70_000 + i, 69_999, id(i), 0, body)),
  )
}
decodes(
  'decode ack',
  ear,
  packetOf(client, (to, i) => to.ack(70_000 + i)),
)
encodes('encode message, 128 bytes', server, i =>
  server.message(70_000 + i, id(i), 'outbox_01', 70_000, 1.79e12, 0, binary),
)
encodes('encode receipt delivered', server, i => server.delivered(id(i), 70_000 + i))
const messages = packetOf(server, (to, i) => to.message(70_000 + i, id(i), 'outbox_01', 70_000, 1.79e12, 0, binary))
decodes('decode message, 128 bytes, bin', clientEar, messages)
decodes(
  'decode receipt delivered',
  clientEar,
  packetOf(server, (to, i) => to.delivered(id(i), 70_000 + i)),
)
encodes('encode send, 128 bytes', client, i => client.send(70_000 + i, 69_999, id(i), 0, binary))
encodes('encode ack', client, i => client.ack(70_000 + i))
process.stdout.write(sum > 0 ? '' : 'nothing was done\n')
