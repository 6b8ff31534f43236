import { describe, expect, test } from 'vitest'
import { Roll } from '../../src/core/roll.ts'
import type { RollAnswer } from '../../src/protocol/rolls.ts'
import { ROLL_NAMES } from '../../src/store/neighbours.ts'

const joined = (id: string): object => ({ event: 'join', id, name: `${id}!` })
const left = (id: string): object => ({ event: 'leave', id, name: `${id}!` })
const listed = (id: string, here = false): { id: string; name: string; here: boolean } => ({ id, name: `${id}!`, here })
const answer = (mark: number, more: Partial<RollAnswer> = {}): RollAnswer => {
  return { mark, stayed: [], everybody: null, ...more }
}

/** A roll of a node among others, and who is in the room at this node. */
class Desk {
  readonly here = new Set<string>()
  readonly roll = new Roll(true, id => this.here.has(id))

  come(id: string): readonly object[] {
    this.here.add(id)
    return this.roll.come(id, `${id}!`)
  }

  go(id: string): readonly object[] {
    this.here.delete(id)
    return this.roll.go(id)
  }

  /** What is reported, in short. */
  report(epoch = 'e1'): string | null {
    const report = this.roll.report(epoch)
    if (report === null) return null
    return [...report.coming.map(({ id }) => `+${id}`), ...report.going.map(id => `-${id}`), report.seen].join(' ')
  }

  /** The roll was read: it is that of these, at other nodes. */
  static at(mark: number, ...ids: string[]): Desk {
    const desk = new Desk()
    desk.report()
    desk.roll.answered(answer(mark, { everybody: ids.map(id => listed(id)) }))
    return desk
  }

  get ids(): string {
    return this.roll
      .list('', 100)
      .map(([id]) => id)
      .join(' ')
  }
}

describe('who goes before the store has heard that he came', () => {
  /** Ann is here and on the roll; Bob came and went while no report got through, and is reported as going. */
  function desk(): Desk {
    const desk = Desk.at(4)
    desk.come('ann')
    desk.come('bob')
    expect(desk.report()).toBe('+ann +bob 4')
    desk.roll.answered(null)
    expect(desk.go('bob')).toEqual([])
    expect(desk.report()).toBe('+ann -bob 4')
    return desk
  }

  test('is gone, though the news of the report names him not and comes before its answer', () => {
    const { roll } = desk()
    expect(roll.heard({ before: 4, mark: 5, changes: [['ann', 'ann!']] })).toEqual([])
    expect(roll.answered(answer(5))).toEqual([left('bob')])
  })

  test('stays if he was heard to come to another node meanwhile, unless he was heard to go there too', () => {
    const came = { before: 5, mark: 6, changes: [['bob', 'bob!']] } as const
    const there = desk()
    there.roll.heard({ before: 4, mark: 5, changes: [['ann', 'ann!']] })
    there.roll.heard(came)
    expect(there.roll.answered(answer(5))).toEqual([])
    expect(there.ids).toBe('ann bob')
    const gone = desk()
    gone.roll.heard({ before: 4, mark: 5, changes: [['ann', 'ann!']] })
    gone.roll.heard(came)
    expect(gone.roll.heard({ before: 6, mark: 7, changes: [['bob', null]] })).toEqual([left('bob')])
    expect(gone.roll.answered(answer(5))).toEqual([])
    expect(gone.ids).toBe('ann')
  })
})

describe('the roll of a node that is alone', () => {
  test('says at once who came and who went, and has nothing to report', () => {
    const roll = new Roll(false, () => true)
    expect(roll.isKnown).toBe(true)
    expect(roll.come('ann', 'ann!')).toEqual([joined('ann')])
    expect(roll.come('ann', 'ann!')).toEqual([])
    expect(roll.go('ann')).toEqual([left('ann')])
    expect(roll.go('ann')).toEqual([])
    expect([roll.report('e1'), roll.isBusy, roll.size]).toEqual([null, false, 0])
  })
})

describe('a roll that nodes share', () => {
  test('is not known before it has been read', () => {
    const desk = new Desk()
    expect(desk.roll.isKnown).toBe(false)
    expect(desk.report()).toBe('0')
    expect(desk.report()).toBeNull()
    expect(desk.roll.answered(answer(7, { everybody: [listed('bob')] }))).toEqual([joined('bob')])
    expect([desk.roll.isKnown, desk.report()]).toEqual([true, null])
  })

  test('tells who comes at once, and who goes when the store says so, unless he is elsewhere', () => {
    const desk = Desk.at(1)
    expect(desk.come('ann')).toEqual([joined('ann')])
    expect(desk.come('bob')).toEqual([joined('bob')])
    expect(desk.report()).toBe('+ann +bob 1')
    expect(desk.roll.answered(answer(2))).toEqual([])
    expect([...desk.go('ann'), ...desk.go('bob')]).toEqual([])
    expect(desk.report()).toBe('-ann -bob 2')
    expect(desk.roll.answered(answer(3, { stayed: ['bob'] }))).toEqual([left('ann')])
    expect(desk.ids).toBe('bob')
  })

  test('hears what others report, and each thing once', () => {
    const desk = Desk.at(1)
    expect(desk.roll.heard({ before: 1, mark: 2, changes: [['bob', 'bob!']] })).toEqual([joined('bob')])
    expect(desk.roll.heard({ before: 1, mark: 2, changes: [['bob', 'bob!']] })).toEqual([])
    expect(desk.roll.heard({ before: 2, mark: 3, changes: [['bob', null]] })).toEqual([left('bob')])
    expect(desk.report()).toBeNull()
  })

  test('reads everything when it has missed something, and tells how that differs', () => {
    const desk = Desk.at(1, 'bob')
    expect(desk.roll.heard({ before: 3, mark: 4, changes: [['dan', 'dan!']] })).toEqual([])
    expect(desk.report()).toBe('1')
    // One more while it is asked: the answer covers the first and not the second.
    desk.roll.heard({ before: 4, mark: 5, changes: [['eve', 'eve!']] })
    expect(desk.roll.answered(answer(4, { everybody: [listed('carl'), listed('dan')] }))).toEqual([
      left('bob'),
      joined('carl'),
      joined('dan'),
    ])
    expect(desk.report()).toBe('4')
    expect(desk.roll.answered(answer(5, { everybody: ['carl', 'dan', 'eve'].map(id => listed(id)) }))).toEqual([
      joined('eve'),
    ])
    expect(desk.report()).toBeNull()
  })

  test('is not thrown back by an answer that is older than what was heard meanwhile', () => {
    const desk = Desk.at(1, 'bob')
    desk.roll.look()
    desk.report()
    expect(desk.roll.heard({ before: 1, mark: 2, changes: [['dan', 'dan!']] })).toEqual([joined('dan')])
    expect(desk.roll.answered(answer(1))).toEqual([])
    expect(desk.ids).toBe('bob dan')
  })

  test('follows a store that has fallen back', () => {
    const desk = Desk.at(9, 'bob')
    desk.come('ann')
    desk.report()
    desk.roll.answered(answer(10))
    desk.roll.look()
    desk.report()
    expect(desk.roll.answered(answer(5, { everybody: [listed('carl')] }))).toEqual([left('bob'), joined('carl')])
    // Who is here and was forgotten is reported again.
    expect(desk.report()).toBe('+ann 5')
  })

  test('is read whole once the log goes on under another epoch, since a store that has fallen back may have one with the same mark', () => {
    const desk = Desk.at(5)
    expect(desk.report()).toBeNull()
    expect(desk.report('e2')).toBe('0')
    expect(desk.roll.answered(null)).toEqual([])
    expect(desk.report('e2')).toBe('0')
    expect(desk.roll.answered(answer(5, { everybody: [listed('bob', true)] }))).toEqual([])
    expect(desk.report('e2')).toBe('-bob 5')
    desk.roll.answered(answer(6))
    expect(desk.report('e2')).toBeNull()
  })

  test('takes off whom the store believes to be here and who is not', () => {
    const desk = new Desk()
    desk.report()
    expect(desk.roll.answered(answer(5, { everybody: [listed('ghost', true)] }))).toEqual([])
    expect(desk.report()).toBe('-ghost 5')
    expect(desk.roll.answered(answer(6))).toEqual([])
  })

  test('keeps whom the store believes to be here and who is at another node by now', () => {
    const desk = new Desk()
    desk.report()
    desk.roll.answered(answer(5, { everybody: [listed('bob', true)] }))
    expect(desk.report()).toBe('-bob 5')
    expect(desk.roll.answered(answer(5, { stayed: ['bob'] }))).toEqual([joined('bob')])
    expect(desk.ids).toBe('bob')
  })

  test('does not tell that somebody went who has come back to this node meanwhile', () => {
    const desk = Desk.at(1)
    desk.come('ann')
    desk.report()
    desk.roll.answered(answer(2))
    desk.go('ann')
    desk.report()
    expect(desk.come('ann')).toEqual([])
    expect(desk.roll.answered(answer(3))).toEqual([])
    expect(desk.report()).toBe('+ann 3')
  })

  test('makes a report again that was not answered, but says of each only what is true now', () => {
    const desk = Desk.at(1)
    desk.come('ann')
    desk.come('bob')
    expect(desk.report()).toBe('+ann +bob 1')
    desk.go('ann')
    expect(desk.roll.answered(null)).toEqual([])
    expect(desk.report()).toBe('+bob -ann 1')
    expect(desk.roll.answered(answer(3, { everybody: [listed('bob', true)] }))).toEqual([left('ann')])
  })

  test('takes no answer that was meant for another room of that name', () => {
    const desk = Desk.at(1, 'bob')
    desk.roll.look()
    desk.report()
    desk.roll.clear()
    expect([desk.roll.size, desk.roll.isKnown, desk.roll.isBusy]).toEqual([0, false, true])
    expect(desk.roll.answered(answer(1, { everybody: [listed('bob')] }))).toEqual([])
    expect(desk.report()).toBe('0')
    desk.roll.clear()
    expect(desk.roll.disowned()).toBe(false)
    desk.report()
    expect(desk.roll.disowned()).toBe(true)
  })

  test('reports a crowd in parts', () => {
    const desk = Desk.at(1)
    for (let i = 0; i < 1_500; i++) desk.come(`c${i}`)
    expect(desk.roll.report('e1')?.coming).toHaveLength(1_000)
    desk.roll.answered(answer(2))
    expect(desk.roll.report('e1')?.coming).toHaveLength(500)
    expect(ROLL_NAMES).toBeGreaterThan(1_500)
  })
})
