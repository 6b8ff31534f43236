import { describe, expect, it } from 'vitest'
import { Vigil } from '../../src/gateway/vigil.ts'

const limits = { pingIntervalMs: 1_000, idleTimeoutMs: 0, slowBytes: 100 }
const nothing = (): number => 0

describe('a vigil', () => {
  it('asks for a ping once per interval of silence', () => {
    const vigil = new Vigil(0)
    expect(vigil.judge(900, 0, limits, nothing)).toBeNull()
    expect(vigil.judge(1_000, 0, limits, nothing)).toBe('ping')
    expect(vigil.judge(1_100, 0, limits, nothing)).toBeNull()
  })

  it('gives up after two intervals of silence', () => {
    expect(new Vigil(0).judge(2_000, 0, limits, nothing)).toBe('timeout')
  })

  it('takes anything that is heard for life', () => {
    const vigil = new Vigil(0)
    vigil.heard(1_500)
    expect(vigil.judge(2_000, 0, limits, nothing)).not.toBe('timeout')
  })

  it('does not count silence while this process stood still', () => {
    expect(new Vigil(0).judge(60_000, 59_500, limits, nothing)).not.toBe('timeout')
  })

  it('pings who hears nothing from this side, although it speaks', () => {
    const vigil = new Vigil(0)
    vigil.heard(950)
    expect(vigil.judge(1_000, 0, limits, nothing)).toBe('ping')
  })

  it('calls idle who says nothing but keep-alive, if a time-out is set', () => {
    const vigil = new Vigil(0)
    vigil.heard(4_900)
    expect(vigil.judge(5_000, 0, { ...limits, idleTimeoutMs: 5_000 }, nothing)).toBe('idle')
    vigil.active(4_000)
    expect(vigil.judge(5_000, 0, { ...limits, idleTimeoutMs: 5_000 }, nothing)).not.toBe('idle')
  })

  it('calls slow who leaves too much unread for ten seconds', () => {
    const vigil = new Vigil(0)
    const judge = (now: number, buffered: number): string | null => {
      vigil.heard(now)
      vigil.wrote(now)
      return vigil.judge(now, 0, limits, () => buffered)
    }
    expect([judge(100, 101), judge(10_000, 101)]).toEqual([null, null])
    expect(judge(10_101, 101)).toBe('slow')
  })

  it('forgets that a reader was slow once it has read', () => {
    const vigil = new Vigil(0)
    const judge = (now: number, buffered: number): string | null => {
      vigil.heard(now)
      vigil.wrote(now)
      return vigil.judge(now, 0, limits, () => buffered)
    }
    expect([judge(100, 101), judge(9_000, 50), judge(9_100, 101), judge(15_000, 101)]).toEqual([null, null, null, null])
  })
})
