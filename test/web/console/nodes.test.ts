/** What the console says of nodes: how fast messages come and go at each, what is the matter with one, where a client is. */
import { describe, expect, test } from 'vitest'
import type { Node } from '../../../src/web/console/api.ts'
import { hostWords, seenNodes, troubleAt, whereWords } from '../../../src/web/console/nodes.ts'

function nodeOf(more: Partial<Node> = {}): Node {
  const figures = { sessions: 0, connections: {}, windowMessages: 0, lagMs: 1, memoryBytes: 1 }
  const counts = { uptime: 10, acceptedTotal: 100, sentTotal: 50 }
  const state = { store: 'redis', storeUp: true, draining: false, here: false, ageMs: 0 }
  return { node: 'n1', version: '1', host: 'red', ...figures, ...counts, ...state, ...more }
}

describe('rates', () => {
  test('are between two readings, by the time of the node', () => {
    const first = seenNodes([nodeOf()], [])
    expect(first).toMatchObject([{ taken: undefined, sent: undefined }])
    const second = seenNodes([nodeOf({ uptime: 15, acceptedTotal: 110, sentTotal: 50 })], first)
    expect(second).toMatchObject([{ taken: 2, sent: 0 }])
  })

  test('stay as they were while a node has not spoken again', () => {
    const seen = [{ ...nodeOf(), taken: 3, sent: 4 }]
    expect(seenNodes([nodeOf({ ageMs: 4_000 })], seen)).toMatchObject([{ taken: 3, sent: 4 }])
  })

  test('are those of a node of that name, and of no other', () => {
    const seen = seenNodes([nodeOf()], [])
    expect(seenNodes([nodeOf({ node: 'n2', uptime: 15 })], seen)).toMatchObject([{ taken: undefined }])
  })
})

test('of a node is said what is the matter with it', () => {
  const states: Partial<Node>[] = [{}, { draining: true }, { ageMs: 7_999 }, { ageMs: 12_400 }, { storeUp: false }]
  expect(states.map(state => troubleAt(nodeOf(state)))).toEqual(['', 'shuts down', '', 'silent for 12 s', 'store away'])
})

test('where a client is, is named where there is more than one place', () => {
  const [one, two] = [nodeOf({ here: true }), nodeOf({ node: 'n2', host: 'blue' })]
  expect(whereWords('n1', [one])).toBe('connected')
  expect(['n1', 'n2', 'n3'].map(name => whereWords(name, [one, two]))).toEqual([
    'connected to n1 on red, this node',
    'connected to n2 on blue',
    'connected to n3',
  ])
  expect(hostWords('n2', [one, two])).toBe(' on blue')
})
