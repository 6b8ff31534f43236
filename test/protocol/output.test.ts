import { describe, expect, test } from 'vitest'
import { Output } from '../../src/protocol/output.ts'
import { putRaw } from '../../src/protocol/put.ts'
import { toHex } from './recorder.ts'

function write(out: Output, bytes: Uint8Array): void {
  out.at = putRaw(out.reserve(bytes.length), out.at, bytes, 0, bytes.length)
}

function flushed(out: Output): string[] {
  const packets: string[] = []
  out.flush(packet => packets.push(toHex(packet)) > 0, false)
  return packets
}

describe('Output', () => {
  test('keeps what was written while it grows', () => {
    const out = new Output()
    const written: string[] = []
    for (let i = 0; i < 300; i++) {
      const piece = new Uint8Array(1000).fill(i)
      write(out, piece)
      written.push(toHex(piece))
    }
    expect(out.at).toBe(300_000)
    expect(flushed(out)).toEqual([written.join('')])
  })

  test('takes for a little no more than buffers that are kept, however much was written with it before', () => {
    const out = new Output()
    write(out, new Uint8Array(5_000_000))
    expect(flushed(out)).toHaveLength(1)
    write(out, Uint8Array.of(1))
    expect(out.bytes.length).toBeLessThanOrEqual(128 * 1024)
  })

  test('is cut where it was told, and never into an empty packet', () => {
    const out = new Output()
    out.cut(0)
    write(out, Uint8Array.of(1, 2))
    expect(out.packetBytes).toBe(2)
    out.cut(2)
    out.cut(2)
    expect(out.packetBytes).toBe(0)
    write(out, Uint8Array.of(3))
    expect(flushed(out)).toEqual(['0102', '03'])
    write(out, Uint8Array.of(4))
    expect(flushed(out)).toEqual(['04'])
  })

  test('hands out what it was lent in its place, as it is', () => {
    const out = new Output()
    const lent = Uint8Array.of(9)
    write(out, Uint8Array.of(1))
    out.lend(lent)
    out.lend(Uint8Array.of(8))
    write(out, Uint8Array.of(2))
    expect(out.pending).toBe(4)
    expect(out.packetBytes).toBe(1)
    expect(flushed(out)).toEqual(['01', '09', '08', '02'])
    expect(out.pending).toBe(0)
    expect(flushed(out)).toEqual([])
    out.lend(lent)
    out.flush(packet => packet === lent || expect.unreachable('a copy'), false)
    out.lend(lent)
    out.discard()
    expect(flushed(out)).toEqual([])
  })

  test('holds no buffer when nothing is pending, and uses a returned one again', () => {
    const out = new Output()
    expect(out.bytes.length).toBe(0)
    write(out, Uint8Array.of(1))
    const { bytes } = out
    expect(flushed(out)).toEqual(['01'])
    expect(out.bytes.length).toBe(0)
    const other = new Output()
    write(other, Uint8Array.of(2))
    expect(other.bytes).toBe(bytes)
    other.discard()
    expect(other.bytes.length).toBe(0)
  })

  test('does not lend a buffer to another while its packets are being handed out', () => {
    const out = new Output()
    write(out, Uint8Array.of(1))
    const seen: string[] = []
    out.flush(packet => {
      const other = new Output()
      write(other, Uint8Array.of(9))
      seen.push(toHex(packet))
      other.discard()
      return true
    }, false)
    expect(seen).toEqual(['01'])
  })

  test('gives what was written as bytes of their own', () => {
    const out = new Output()
    write(out, Uint8Array.of(1, 2))
    const bytes = out.takeBytes()
    write(out, Uint8Array.of(9, 9))
    expect(toHex(bytes)).toBe('0102')
    expect(flushed(out)).toEqual(['0909'])
  })
})
