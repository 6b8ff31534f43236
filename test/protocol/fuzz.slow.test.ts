/**
 * A million damaged frames through the decoders: nothing may throw, be heard from outside the packet, or take memory that the
 * packet does not justify. `FUZZ_SEED` repeats a run, `FUZZ_FRAMES` makes it longer.
 */
import { expect, test } from 'vitest'
import { checkValue } from '../../src/protocol/check.ts'
import { createClientFrameDecoder, createServerFrameDecoder } from '../../src/protocol/codec.ts'
import type { Body, ClientFrames, ServerFrames } from '../../src/protocol/frames.ts'
import { inEncoding } from '../../src/protocol/transcode.ts'
import { Damage } from './damage.ts'
import { clientFrames, serverFrames } from './golden.ts'
import { hex, utf8 } from './recorder.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
const total = Number(process.env['FUZZ_FRAMES'] ?? 1_000_000)

const damage = new Damage(seed)
const random = (limit: number): number => damage.random(limit)

interface Seeds {
  readonly text: boolean
  readonly seeds: readonly Uint8Array[]
}

const kinds: readonly Seeds[] = [false, true].flatMap(text =>
  [clientFrames, serverFrames].map(frames => ({
    text,
    seeds: frames.map(frame => (text ? utf8(frame.text) : hex(frame.binary))),
  })),
)

/** Stands around the packet: whatever is heard of it was read from outside. */
const MARGIN = 8

class Ear {
  heard = 0
  end = 0
  text = false

  frame(values: readonly unknown[]): void {
    this.heard++
    const body = values.at(-1)
    if (isBody(body)) this.body(body)
  }

  body(body: Body): void {
    expect(body.text).toBe(this.text)
    const inside = body.bytes.length !== this.end + MARGIN || (body.start >= MARGIN && body.end <= this.end)
    expect(inside && body.start < body.end).toBe(true)
    if (!body.text) expect(checkValue(body.bytes, body.start, body.end, 16)).toBe(body.end)
    // What was heard must be possible to say in the other encoding.
    if (random(8) === 0) {
      const other = inEncoding(body, !body.text)
      expect(other.end).toBeGreaterThan(0)
    }
  }
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'start' in value
}

function listening(ear: Ear): ClientFrames & ServerFrames {
  const handler: ProxyHandler<object> = {
    get:
      () =>
      (...values: unknown[]) =>
        ear.frame(values),
  }
  return new Proxy({}, handler) as ClientFrames & ServerFrames
}

test(`a million damaged frames do no harm (seed ${seed})`, () => {
  process.stdout.write(`fuzz: FUZZ_SEED=${seed} FUZZ_FRAMES=${total}\n`)
  const ear = new Ear()
  const decoders = [createClientFrameDecoder(listening(ear)), createServerFrameDecoder(listening(ear))]
  const room = new Uint8Array(4096)
  let peak = 0
  let refused = 0
  for (let i = 0; i < total; i++) {
    const { text, seeds } = kinds[i & 3] as Seeds
    const pick = (): Uint8Array => seeds[random(seeds.length)] as Uint8Array
    const packet = damage.do(pick(), pick(), text)
    // Behind the packet stands what would continue it well: a decoder that reads on would hear it.
    const bytes =
      i % 64 === 0 ? new Uint8Array(packet.length + 2 * MARGIN) : room.subarray(0, packet.length + 2 * MARGIN)
    bytes.fill(text ? 0x20 : 0xc0)
    bytes.set(packet, MARGIN)
    ear.text = text
    ear.end = packet.length + MARGIN
    for (const decoder of decoders) {
      if (decoder.decode(bytes, MARGIN, ear.end, text) !== null) refused++
    }
    if (i % 10_000 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed)
  }
  expect(refused).toBeGreaterThan(total / 2)
  expect(ear.heard).toBeGreaterThan(total / 20)
  expect(peak).toBeLessThan(512 * 1024 * 1024)
}, 300_000)

test(`bytes cut anywhere in random noise are answered alike with and without more behind them (seed ${seed})`, () => {
  for (let i = 0; i < total / 10; i++) {
    const noise = Uint8Array.from({ length: 1 + random(24) }, () => damage.byte())
    const end = random(noise.length + 1)
    const alone = checkValue(noise.slice(0, end), 0, end, 16)
    if (checkValue(noise, 0, end, 16) !== alone) expect.unreachable(`read beyond the end of ${noise.join()}`)
  }
})
