/** When a turn ends, and what it writes then. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Clock } from '../../src/gateway/clock.ts'
import { Counters } from '../../src/gateway/counters.ts'
import { Turn, type AtTurnEnd } from '../../src/gateway/turn.ts'
import { House } from './house.ts'

let house: House
let turn: Turn
/** What was written, in order. */
let written: number[]

beforeEach(() => {
  house = new House()
  written = []
  turn = new Turn(house.gateway.hub, new Clock(), new Counters(), error => {
    throw error
  })
})

afterEach(() => {
  house.close()
})

function connection(name: number, flush: () => void = () => undefined): AtTurnEnd {
  return {
    replay: () => undefined,
    flush: () => {
      written.push(name)
      flush()
    },
  }
}

const loopEnded = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** So many packets, each of which brings about a word to one connection of its own. */
function hear(packets: number): void {
  for (const name of numbers(packets)) {
    turn.packet()
    turn.flushAtEnd(connection(name))
  }
}

describe('a turn', () => {
  it('writes when the loop has handed on all that came', async () => {
    hear(5)
    expect(written).toEqual([])
    await loopEnded()
    expect(written).toEqual(numbers(5))
  })

  it('ends earlier where much comes, writes each word once, and the rest when the loop is done', async () => {
    hear(40)
    expect(written).toEqual(numbers(32))
    await loopEnded()
    expect(written).toEqual(numbers(40))
  })

  it('does not end earlier while each packet is for many', async () => {
    for (const name of numbers(200)) turn.flushAtEnd(connection(name))
    for (let i = 0; i < 40; i++) turn.packet()
    expect(written).toEqual([])
    await loopEnded()
    expect(written).toEqual(numbers(200))
  })

  it('does not end earlier while hardly anybody is to be told', async () => {
    hear(3)
    for (let i = 0; i < 40; i++) turn.packet()
    expect(written).toEqual([])
    await loopEnded()
    expect(written).toEqual(numbers(3))
  })

  it('loses nothing that comes while it writes', async () => {
    turn.packet()
    turn.flushAtEnd(
      connection(0, () => {
        for (const name of numbers(40)) {
          turn.packet()
          turn.flushAtEnd(connection(100 + name))
        }
      }),
    )
    turn.flushAtEnd(connection(1))
    await loopEnded()
    await loopEnded()
    expect([...written].sort((a, b) => a - b)).toEqual([0, 1, ...numbers(40).map(name => 100 + name)])
  })

  it('begins anew after it ended', async () => {
    hear(40)
    await loopEnded()
    written = []
    hear(3)
    await loopEnded()
    expect(written).toEqual(numbers(3))
  })
})
