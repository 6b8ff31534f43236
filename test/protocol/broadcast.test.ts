import { describe, expect, test } from 'vitest'
import { createBroadcast } from '../../src/protocol/broadcast.ts'
import { createServerFrameDecoder, createServerFrameEncoder } from '../../src/protocol/codec.ts'
import type { ServerFrames } from '../../src/protocol/frames.ts'
import { type Call, binaryBody, record } from './recorder.ts'

const body = binaryBody('a2 6869')

function say(frames: ServerFrames): void {
  frames.room('#r', 1, 'ann', 'outbox01', 1, 0, body)
  frames.members('#r', 'leave', 'ann', '')
}

describe('a broadcast', () => {
  test.each([false, true])('is heard by each who is told, between what is said to one alone (text: %s)', text => {
    const broadcast = createBroadcast(say)
    for (let i = 0; i < 3; i++) {
      const encoder = createServerFrameEncoder(text)
      encoder.ping()
      encoder.broadcast(broadcast)
      encoder.pong()
      const heard: Call[] = []
      const decoder = createServerFrameDecoder(record(heard))
      encoder.flush(packet => decoder.decode(packet.slice(), 0, packet.length, text) === null)
      expect(heard.map(([op]) => op)).toEqual(['ping', 'room', 'members', 'pong'])
    }
  })

  test('is encoded once in each encoding, and its packets are not copied', () => {
    let said = 0
    const broadcast = createBroadcast(frames => {
      said++
      say(frames)
    })
    const packets = new Set<ArrayBufferLike>()
    for (const text of [false, true, false, true, false]) {
      const encoder = createServerFrameEncoder(text)
      encoder.broadcast(broadcast)
      encoder.flush(packet => packets.add(packet.buffer).size > 0)
    }
    expect(said).toBe(2)
    // One binary packet with both frames, and a text packet for each of them.
    expect(packets.size).toBe(3)
  })
})
