/** The small parts of the shell that only count: rates, guesses, admission, rounds, slabs. */
import { describe, expect, it } from 'vitest'
import { Admission } from '../../src/gateway/admission.ts'
import { Guesses } from '../../src/gateway/guesses.ts'
import { FrameRate } from '../../src/gateway/rate.ts'
import { Rounds } from '../../src/gateway/rounds.ts'
import { Slab } from '../../src/gateway/slab.ts'
import { Sparing } from '../../src/gateway/sparing.ts'

class Seat {
  seat = -1
  readonly number: number

  constructor(number: number) {
    this.number = number
  }
}

function takeAll(rate: FrameRate): number {
  let taken = 0
  while (taken < 10_000 && rate.take()) taken++
  return taken
}

describe('the rate of frames', () => {
  it('allows a burst of twice the rate, then the rate', () => {
    const rate = new FrameRate(100, 0)
    expect(takeAll(rate)).toBe(200)
    rate.fill(500)
    expect(takeAll(rate)).toBe(50)
    rate.fill(60_000)
    expect(takeAll(rate)).toBe(200)
  })

  it('loses nothing to looks that are too close to earn a frame', () => {
    const rate = new FrameRate(10, 0)
    takeAll(rate)
    for (let now = 1; now <= 1_000; now++) rate.fill(now)
    expect(takeAll(rate)).toBe(10)
  })

  it('never closes who waits as long as it was told, however often', () => {
    const rate = new FrameRate(100, 0)
    for (let now = 0; now < 60_000; now += 1_000)
      expect([rate.struck(now), rate.struck(now + 200)]).toEqual([false, false])
  })

  it('counts a pause that is ignored as one strike, and closes at the third', () => {
    const rate = new FrameRate(100, 0)
    expect([rate.struck(0), rate.struck(600), rate.struck(700)]).toEqual([false, false, false])
    expect([rate.struck(1_000), rate.struck(1_600)]).toEqual([false, false])
    expect([rate.struck(2_000), rate.struck(2_600)]).toEqual([false, true])
  })

  it('counts every burst refused within a second as a strike', () => {
    const rate = new FrameRate(100, 0)
    let refused = 1
    while (!rate.struck(0)) refused++
    expect(refused).toBe(600)
  })

  it('forgives after a minute of obedience', () => {
    const rate = new FrameRate(100, 0)
    for (let minute = 0; minute < 10; minute++) expect(rate.struck(minute * 61_000)).toBe(false)
  })
})

describe('guesses', () => {
  it('delays the sixth wrong one of a minute and more those after it, up to a bound', () => {
    const guesses = new Guesses()
    const delays = Array.from({ length: 14 }, () => guesses.wrong('10.0.0.1', 'alice', 0))
    expect(delays.slice(0, 8)).toEqual([0, 0, 0, 0, 0, 250, 500, 1_000])
    expect(delays.at(-1)).toBe(5_000)
  })

  it('counts by address and by id', () => {
    const byAddress = new Guesses()
    for (let i = 0; i < 5; i++) byAddress.wrong('10.0.0.1', `id${i}`, 0)
    expect(byAddress.wrong('10.0.0.1', 'fresh', 0)).toBe(250)
    const byId = new Guesses()
    for (let i = 0; i < 5; i++) byId.wrong(`10.0.0.${i}`, 'alice', 0)
    expect(byId.wrong('10.0.0.9', 'alice', 0)).toBe(250)
    expect(byId.wrong('10.0.0.8', 'bob', 0)).toBe(0)
  })

  it('forgets after a minute', () => {
    const guesses = new Guesses()
    for (let i = 0; i < 9; i++) guesses.wrong('10.0.0.1', 'alice', 0)
    expect(guesses.wrong('10.0.0.1', 'alice', 60_000)).toBe(0)
  })
})

describe('admission', () => {
  const limits = { connectionsPerAddress: 2, connectRate: 3, maxLagMs: 100 }

  it('admits so many per address, and again when one has left', () => {
    const admission = new Admission(limits)
    expect([admission.enter('a', 0), admission.enter('a', 0)]).toEqual([null, null])
    expect(admission.enter('a', 0)).toBeGreaterThan(0)
    admission.left('a')
    expect(admission.enter('a', 0)).toBeNull()
  })

  it('admits so many in any second', () => {
    const admission = new Admission(limits)
    expect(admission.enter('a', 450)).toBeNull()
    for (const address of ['b', 'c']) expect(admission.enter(address, 950)).toBeNull()
    expect(admission.enter('d', 1_399)).not.toBeNull()
    expect(admission.enter('d', 1_500)).toBeNull()
    expect(admission.enter('e', 1_949)).not.toBeNull()
    expect([admission.enter('e', 2_050), admission.enter('f', 2_050), admission.enter('g', 2_050)]).toEqual([
      null,
      null,
      expect.any(Number),
    ])
    expect(admission.enter('h', 1_000_000)).toBeNull()
  })

  it('never admits more within a second than it says, however they come', () => {
    const admission = new Admission({ connectionsPerAddress: 1e9, connectRate: 50, maxLagMs: 100 })
    const admitted: number[] = []
    for (let now = 0; now < 20_000; now += (now * 7919) % 13) {
      if (admission.enter('a', now) === null) admitted.push(now)
      if (now === 0) now = 1
    }
    const most = admitted.map((start, i) => admitted.slice(i).filter(at => at < start + 1_000).length)
    expect(Math.max(...most)).toBe(50)
    expect(admitted.length).toBeGreaterThan(50 * 15)
  })

  it('counts an IPv6 network as one address', () => {
    const admission = new Admission(limits)
    for (const address of ['2001:db8::1', '2001:db8::2']) expect(admission.enter(address, 0)).toBeNull()
    expect(admission.enter('2001:db8::3', 0)).not.toBeNull()
    admission.left('2001:db8::1')
    expect(admission.enter('2001:db8::4', 0)).toBeNull()
  })

  it('admits nobody while the event loop is late', () => {
    const admission = new Admission(limits)
    admission.lagMs = 101
    expect(admission.enter('a', 0)).not.toBeNull()
    admission.lagMs = 100
    expect(admission.enter('a', 0)).toBeNull()
  })

  it('spreads those it turns away over a span that grows with their number, up to a bound', () => {
    const latest = new Admission(limits, () => 1)
    const soonest = new Admission(limits, () => 0)
    expect(soonest.spread(1_000)).toBe(500)
    expect(latest.spread(3)).toBe(3_500)
    expect(latest.spread(30)).toBe(21_500)
    expect(latest.spread(1e9)).toBe(30_500)
  })
})

describe('rounds', () => {
  it('visits everything once in a round, a part on every tick', () => {
    const rounds = new Rounds<Seat>(4)
    for (let i = 0; i < 10; i++) rounds.add(new Seat(i))
    const visited: number[] = []
    const counts: number[] = []
    for (let tick = 0; tick < 4; tick++) {
      const before = visited.length
      rounds.tick(({ number }) => visited.push(number))
      counts.push(visited.length - before)
    }
    expect(visited.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(Math.max(...counts)).toBe(3)
  })

  it('leaves out what was deleted, even during the visit', () => {
    const rounds = new Rounds<Seat>(1)
    const seats = Array.from({ length: 4 }, (_, i) => new Seat(i))
    for (const seat of seats) rounds.add(seat)
    const visited: number[] = []
    rounds.tick(seat => {
      visited.push(seat.number)
      rounds.delete(seat)
      const before = seats[seat.number - 1]
      if (before !== undefined) rounds.delete(before)
    })
    expect(visited).toEqual([3, 1])
    expect(rounds.size).toBe(0)
  })

  it('visits who is left wherever others were deleted, and deletes nobody twice', () => {
    const rounds = new Rounds<Seat>(2)
    const seats = Array.from({ length: 9 }, (_, i) => new Seat(i))
    for (const seat of seats) rounds.add(seat)
    for (const i of [0, 8, 3, 0, 8]) rounds.delete(seats[i] ?? new Seat(-1))
    const visited: number[] = []
    for (let tick = 0; tick < 2; tick++) rounds.tick(({ number }) => visited.push(number))
    expect(visited.sort()).toEqual([1, 2, 4, 5, 6, 7])
    expect([rounds.size, rounds.all().length]).toEqual([6, 6])
  })
})

describe('the slab', () => {
  it('keeps the bytes of packets, small and large, for good', () => {
    const slab = new Slab()
    const kept: { bytes: Uint8Array; start: number; size: number; value: number }[] = []
    for (let i = 0; i < 500; i++) {
      const size = (i * 37) % 6_000
      const lent = new Uint8Array(size).fill(i % 256)
      const start = slab.keep(lent)
      kept.push({ bytes: slab.bytes, start, size, value: i % 256 })
      lent.fill(0)
    }
    for (const { bytes, start, size, value } of kept) {
      expect(bytes.subarray(start, start + size).every(byte => byte === value)).toBe(true)
    }
  })

  it('leaves a lone ack where it lies', () => {
    const slab = new Slab()
    slab.keep(new Uint8Array(100))
    const ack = Uint8Array.of(0x92, 0xa3, 0x61, 0x63, 0x6b, 0xce, 0, 1, 0, 0)
    expect(slab.keep(ack)).toBe(0)
    expect(slab.bytes).toBe(ack)
    const shortest = Uint8Array.of(0x96, 0xa4, 0x73, 0x65, 0x6e, 0x64, 1, 1, 0xa1, 0x62, 0xc0, 1)
    slab.keep(shortest)
    expect(slab.bytes).not.toBe(shortest)
  })

  it('puts small packets side by side', () => {
    const slab = new Slab()
    const first = slab.keep(new Uint8Array(100))
    const { bytes } = slab
    const second = slab.keep(new Uint8Array(100))
    expect([second - first, slab.bytes === bytes]).toEqual([100, true])
  })
})

describe('sparing words', () => {
  it('says one thing a second and how many it left out', () => {
    const sparing = new Sparing()
    const said: number[] = []
    for (const now of [0, 1, 2, 999, 1_000, 1_001, 2_500]) sparing.say(now, unsaid => said.push(unsaid))
    expect(said).toEqual([0, 3, 1])
  })
})
