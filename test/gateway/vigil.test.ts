import { describe, expect, it } from 'vitest'
import { Unread } from '../../src/gateway/unread.ts'
import { Vigil } from '../../src/gateway/vigil.ts'

const limits = { pingIntervalMs: 1_000, idleTimeoutMs: 0, slowBytes: 100, unreadBytes: 1_000_000 }
const all = new Unread()
const nothing = { buffered: () => 0 }

describe('a vigil', () => {
  it('asks for a ping once per interval of silence', () => {
    const vigil = new Vigil(0)
    expect(vigil.judge(900, 0, limits, nothing, all)).toBeNull()
    expect(vigil.judge(1_000, 0, limits, nothing, all)).toBe('ping')
    expect(vigil.judge(1_100, 0, limits, nothing, all)).toBeNull()
  })

  it('gives up after two intervals of silence', () => {
    expect(new Vigil(0).judge(2_000, 0, limits, nothing, all)).toBe('timeout')
  })

  it('takes anything that is heard for life', () => {
    const vigil = new Vigil(0)
    vigil.heard(1_500)
    expect(vigil.judge(2_000, 0, limits, nothing, all)).not.toBe('timeout')
  })

  it('does not count silence while this process stood still', () => {
    expect(new Vigil(0).judge(60_000, 59_500, limits, nothing, all)).not.toBe('timeout')
  })

  it('pings who hears nothing from this side, although it speaks', () => {
    const vigil = new Vigil(0)
    vigil.heard(950)
    expect(vigil.judge(1_000, 0, limits, nothing, all)).toBe('ping')
  })

  it('calls idle who says nothing but keep-alive, if a time-out is set', () => {
    const vigil = new Vigil(0)
    vigil.heard(4_900)
    expect(vigil.judge(5_000, 0, { ...limits, idleTimeoutMs: 5_000 }, nothing, all)).toBe('idle')
    vigil.active(4_000)
    expect(vigil.judge(5_000, 0, { ...limits, idleTimeoutMs: 5_000 }, nothing, all)).not.toBe('idle')
  })

  it('calls slow who leaves too much unread for ten seconds', () => {
    const vigil = new Vigil(0)
    const judge = (now: number, buffered: number): string | null => {
      vigil.heard(now)
      vigil.wrote(now)
      return vigil.judge(now, 0, limits, { buffered: () => buffered }, all)
    }
    expect([judge(100, 101), judge(10_000, 101)]).toEqual([null, null])
    expect(judge(10_101, 101)).toBe('slow')
  })

  it('forgets that a reader was slow once it has read', () => {
    const vigil = new Vigil(0)
    const judge = (now: number, buffered: number): string | null => {
      vigil.heard(now)
      vigil.wrote(now)
      return vigil.judge(now, 0, limits, { buffered: () => buffered }, all)
    }
    expect([judge(100, 101), judge(9_000, 50), judge(9_100, 101), judge(15_000, 101)]).toEqual([null, null, null, null])
  })

  it('calls crowded who leaves more than its share, where all leave more than they may', () => {
    const [few, crowd] = [{ ...limits, slowBytes: 10_000, unreadBytes: 1_000 }, new Unread()]
    const [one, other] = [new Vigil(0), new Vigil(0)]
    const judge = (vigil: Vigil, buffered: number): string | null => {
      vigil.wrote(0)
      return vigil.judge(0, 0, few, { buffered: () => buffered }, crowd)
    }
    expect([judge(one, 1_000), crowd.bytes]).toEqual([null, 1_000])
    expect([judge(other, 100), crowd.bytes]).toEqual([null, 1_100])
    expect(judge(one, 1_000)).toBe('crowded')
    one.end(crowd)
    expect([judge(other, 1_000), crowd.bytes]).toEqual([null, 1_000])
    // It reads without being written to.
    expect([other.judge(1, 0, few, nothing, crowd), crowd.bytes]).toEqual([null, 0])
  })
})
