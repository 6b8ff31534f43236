/** What an encoder writes, a decoder of the same direction reads: the same calls with the same values, in any mixture of encodings. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createClientFrameDecoder,
  createClientFrameEncoder,
  createServerFrameDecoder,
  createServerFrameEncoder,
} from '../../src/protocol/codec.ts'
import type { ErrorCode, EndReason } from '../../src/protocol/errors.ts'
import type { ClientFrames, ServerFrames } from '../../src/protocol/frames.ts'
import { decodeBody, encodeBody } from '../../src/protocol/values.ts'
import { type Call, record } from './recorder.ts'

const positive = fc
  .oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.maxSafeNat().map(n => n + 1 || 1),
    fc.nat().map(n => n + 1),
  )
  .filter(Number.isSafeInteger)
const name = fc.stringMatching(/^[A-Za-z0-9_.:@-]{1,64}$/)
const text = fc.string({ unit: 'grapheme', maxLength: 60 })
const ref = fc.oneof(
  fc.maxSafeInteger().map(n => n + 0),
  text,
)
const body = fc
  .tuple(fc.oneof(text, fc.uint8Array({ maxLength: 300 }), fc.array(positive), fc.dictionary(name, text)), fc.boolean())
  .map(([value, asText]) => encodeBody(value, asText))
const code = fc.constantFrom<ErrorCode>('gap', 'internal', 'mailbox_full')

const clientSays: fc.Arbitrary<(frames: ClientFrames) => void> = fc.oneof(
  fc
    .tuple(fc.oneof(fc.constant(0), positive), fc.oneof(fc.constant(0), positive), name, fc.nat(), body)
    .map(given => (frames: ClientFrames) => frames.send(...given)),
  positive.map(seq => (frames: ClientFrames) => frames.ack(seq)),
  fc.tuple(positive, text).map(given => (frames: ClientFrames) => frames.nack(...given)),
  fc.tuple(ref, name).map(given => (frames: ClientFrames) => frames.sync(...given)),
  fc.tuple(name, body).map(given => (frames: ClientFrames) => frames.signal(...given)),
  fc.tuple(ref, fc.array(name, { maxLength: 20 })).map(given => (frames: ClientFrames) => frames.presence(...given)),
  ref.map(given => (frames: ClientFrames) => frames.rotate(given)),
  fc
    .record({ v: fc.nat(), id: text, secret: text, attempt: fc.nat() }, { requiredKeys: ['v'], noNullPrototype: true })
    .map(options => (frames: ClientFrames) => frames.hello(options)),
  fc
    .tuple(
      ref,
      name,
      fc.record(
        { since: fc.nat(), epoch: text, password: text, epochs: fc.boolean() },
        { requiredKeys: [], noNullPrototype: true },
      ),
    )
    .map(given => (frames: ClientFrames) => frames.join(...given)),
  fc
    .tuple(
      ref,
      name,
      fc.record({ private: fc.boolean(), history: positive }, { requiredKeys: [], noNullPrototype: true }),
    )
    .map(given => (frames: ClientFrames) => frames.create(...given)),
  fc
    .tuple(
      ref,
      name,
      fc.record({ before: positive, limit: positive, from: text }, { requiredKeys: [], noNullPrototype: true }),
    )
    .map(given => (frames: ClientFrames) => frames.history(...given)),
  fc.constantFrom('ping' as const, 'pong' as const, 'bye' as const).map(op => (frames: ClientFrames) => frames[op]()),
)

const serverSays: fc.Arbitrary<(frames: ServerFrames) => void> = fc.oneof(
  fc
    .tuple(positive, name, name, positive, fc.maxSafeNat(), fc.nat({ max: 3 }), body)
    .map(given => (frames: ServerFrames) => frames.message(...given)),
  fc.tuple(positive, name, name, positive, text).map(given => (frames: ServerFrames) => frames.void(...given)),
  fc.tuple(name, positive).map(given => (frames: ServerFrames) => frames.delivered(...given)),
  fc.tuple(name, positive).map(given => (frames: ServerFrames) => frames.stored(...given)),
  fc
    .tuple(fc.constantFrom<EndReason>('rejected', 'expired', 'dead'), name, positive, text)
    .map(given => (frames: ServerFrames) => frames.ended(...given)),
  fc.tuple(name, positive, code).map(given => (frames: ServerFrames) => frames.failed(...given)),
  fc.tuple(name, positive, code, fc.nat()).map(given => (frames: ServerFrames) => frames.retry(...given)),
  fc
    .tuple(name, positive, name, name, positive, fc.maxSafeNat(), body)
    .map(given => (frames: ServerFrames) => frames.room(...given)),
  fc
    .tuple(name, fc.constantFrom('join' as const, 'leave' as const), name, text)
    .map(given => (frames: ServerFrames) => frames.members(...given)),
  fc.tuple(name, name, body).map(given => (frames: ServerFrames) => frames.signal(...given)),
  fc
    .tuple(ref, fc.oneof(text, fc.constant(null), fc.array(positive)))
    .map(given => (frames: ServerFrames) => frames.reply(...given)),
  fc.tuple(fc.oneof(fc.constant(null), ref), code, text).map(given => (frames: ServerFrames) => frames.error(...given)),
)

/** Bodies as their values: an encoder may have had to transcode them. */
function meant(calls: readonly Call[]): Call[] {
  return calls.map(call => call.map(value => valueOf(String(value)) ?? value))
}

function valueOf(shown: string): unknown {
  const match = /^(json|msgpack) (.*)$/s.exec(shown)
  if (match === null) return undefined
  const isText = match[1] === 'json'
  const bytes = Uint8Array.from(Buffer.from(match[2] as string, isText ? 'utf8' : 'hex'))
  return ['body', decodeBody({ bytes, start: 0, end: bytes.length, text: isText })]
}

test('what a client says is what a server hears', () => {
  fc.assert(
    fc.property(fc.array(clientSays, { maxLength: 12 }), fc.boolean(), (says, asText) => {
      const [said, heard]: [Call[], Call[]] = [[], []]
      const encoder = createClientFrameEncoder(asText, 500)
      for (const say of says) [encoder, record(said)].forEach(frames => say(frames))
      const decoder = createClientFrameDecoder(record(heard))
      encoder.flush((packet, isText) => decoder.decode(packet.slice(), 0, packet.length, isText) === null)
      expect(meant(heard)).toEqual(meant(said))
    }),
    { numRuns: 600 },
  )
})

test('what a server says is what a client hears', () => {
  fc.assert(
    fc.property(fc.array(serverSays, { maxLength: 12 }), fc.boolean(), (says, asText) => {
      const [said, heard]: [Call[], Call[]] = [[], []]
      const encoder = createServerFrameEncoder(asText, 500)
      for (const say of says) [encoder, record(said)].forEach(frames => say(frames))
      const decoder = createServerFrameDecoder(record(heard))
      encoder.flush((packet, isText) => decoder.decode(packet.slice(), 0, packet.length, isText) === null)
      expect(meant(heard)).toEqual(meant(said))
    }),
    { numRuns: 600 },
  )
})
