/** The judge is judged first: right histories pass, and each of these wrong ones is found, by the promise that it breaks. */
import { mkdtempSync, rmSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import { check } from './checker.ts'
import { hashOf, History, readHistory, type HistoryEvent, type What } from './history.ts'

const people = ['ann', 'bob', 'carl', 'dora']

/** What happens when nothing goes wrong: every message is sent, shown, acked and told, in that order, all streams mixed. */
function rightHistory(seed: number): HistoryEvent[] {
  const random = new Random(seed)
  const history: HistoryEvent[] = people.map((who, t) => event(t, who, 'start'))
  const sent = new Map<string, number>()
  for (let t = 10; t < 400; t += 10) {
    const [from = '', to = ''] = [random.pick(people), random.pick(people)]
    const stream = `${from}>${to}`
    const k = (sent.get(stream) ?? 0) + 1
    sent.set(stream, k)
    const hash = random.word(16)
    history.push(event(t, from, 'send', stream, k, hash))
    if (random.chance(0.5)) history.push(event(t + 1, from, 'receipt', stream, k, '', 'stored'))
    history.push(event(t + 2, to, 'surface', stream, k, hash), event(t + 3, to, 'ack', stream, k))
    if (random.chance(0.7)) history.push(event(t + 4, from, 'receipt', stream, k, '', 'delivered'))
  }
  return history
}

function event(t: number, who: string, what: What, stream = '', k = 0, hash = '', detail = ''): HistoryEvent {
  return { t, who, what, stream, k, hash, detail }
}

/** The history, with one event of that kind replaced by what `change` makes of it. */
function damaged(
  history: readonly HistoryEvent[],
  random: Random,
  what: What,
  change: (event: HistoryEvent) => HistoryEvent[],
): HistoryEvent[] {
  const indices = [...history.keys()].filter(index => history[index]?.what === what)
  const at = random.pick(indices)
  return history.flatMap((event, index) => (index === at ? change(event) : [event])).sort((a, b) => a.t - b.t)
}

/** Without the events of that kind about the message that `picked` tells of. */
function without(history: readonly HistoryEvent[], picked: HistoryEvent, ...whats: What[]): HistoryEvent[] {
  const isIt = ({ stream, k, what }: HistoryEvent): boolean =>
    stream === picked.stream && k === picked.k && whats.includes(what)
  return history.filter(event => !isIt(event))
}

function pick(history: readonly HistoryEvent[], random: Random, what: What, detail = ''): HistoryEvent {
  const found = random.pick(history.filter(event => event.what === what && event.detail === detail))
  if (!found) throw new Error(`no ${what}`)
  return found
}

type Damage = (history: readonly HistoryEvent[], random: Random) => readonly HistoryEvent[]

const wrongHistories: readonly (readonly [name: string, promise: string, damage: Damage])[] = [
  [
    'a stored message is never shown',
    'C1',
    (history, random) => without(history, pick(history, random, 'receipt', 'stored'), 'surface', 'ack'),
  ],
  [
    'a message whose sender lives is never shown',
    'C7',
    (history, random) => without(history, pick(history, random, 'send'), 'surface', 'ack', 'receipt'),
  ],
  [
    'a kept message is lost with its sender',
    'C7',
    (history, random) => {
      const sent = pick(history, random, 'send')
      const rest = without(history, sent, 'surface', 'ack', 'receipt')
      return [...rest, event(sent.t + 1, sent.who, 'kept', sent.stream, sent.k), event(900, sent.who, 'start')].sort(
        (a, b) => a.t - b.t,
      )
    },
  ],
  ['shown twice', 'C2', (history, random) => damaged(history, random, 'surface', it => [it, { ...it, t: it.t + 0.5 }])],
  [
    'shown again by a new process, though the old one had written it down',
    'C2',
    (history, random) => {
      const { who, t, ...rest } = pick(history, random, 'surface')
      return [...history, event(t + 900, who, 'start'), { ...rest, who, t: t + 901 }]
    },
  ],
  [
    'shown after its successor',
    'C3',
    (history, random) => {
      const late = pick(
        history.filter(({ k, stream }) => history.some(other => other.stream === stream && other.k === k + 1)),
        random,
        'surface',
      )
      const rest = without(history, late, 'ack', 'receipt', 'surface')
      return [...rest, { ...late, t: 1_000 }]
    },
  ],
  ['altered', 'C4', (history, random) => damaged(history, random, 'surface', it => [{ ...it, hash: 'another' }])],
  [
    'shown to somebody else',
    'C4',
    (history, random) => damaged(history, random, 'surface', it => [{ ...it, who: 'eve' }]),
  ],
  [
    'shown as if it came from somebody else',
    'C4',
    (history, random) => damaged(history, random, 'surface', it => [{ ...it, stream: `eve>${it.who}`, k: 1 }]),
  ],
  [
    'invented',
    'C5',
    (history, random) =>
      damaged(history, random, 'surface', it => [it, { ...it, t: it.t + 0.5, k: 9_999, hash: 'nobody-wrote-it' }]),
  ],
  [
    'shown before it was sent',
    'C5',
    (history, random) => damaged(history, random, 'send', it => [{ ...it, t: it.t + 2.5 }]),
  ],
  [
    'delivered and never shown',
    'C6',
    (history, random) => without(history, pick(history, random, 'receipt', 'delivered'), 'surface', 'ack'),
  ],
  [
    'delivered before it was shown',
    'C6',
    (history, random) => {
      const told = pick(history, random, 'receipt', 'delivered')
      return [...history.filter(it => it !== told), { ...told, t: told.t - 2.5 }].sort((a, b) => a.t - b.t)
    },
  ],
  [
    'acked and not shown',
    'C6',
    (history, random) => without(history, pick(history, random, 'ack'), 'surface', 'receipt'),
  ],
  [
    'a receipt for what nobody sent',
    'C5',
    (history, random) => damaged(history, random, 'receipt', it => [it, { ...it, k: 9_999 }]),
  ],
  [
    'a gap',
    'C1',
    (history, random) => damaged(history, random, 'surface', it => [it, { ...it, what: 'gap', detail: 'missing' }]),
  ],
]

describe('the checker', () => {
  test.each(wrongHistories)('rejects: %s (%s)', (_, promise, damage) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { wrong } = check(damage(rightHistory(seed), new Random(seed)))
      expect(wrong.length, `seed ${seed}`).toBeGreaterThan(0)
      expect(wrong.map(sentence => sentence.split(':')[0])).toContain(promise)
    }
  })

  test('accepts what went well', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { wrong, sent, surfaced } = check(rightHistory(seed))
      expect(wrong).toEqual([])
      expect([sent, surfaced]).toEqual([39, 39])
    }
  })

  test('accepts that a new process is shown again what the old one had not written down, and all that follows', () => {
    const story = [
      event(1, 'ann', 'send', 'ann>bob', 1, 'a'),
      event(2, 'ann', 'send', 'ann>bob', 2, 'b'),
      event(3, 'bob', 'surface', 'ann>bob', 1, 'a'),
      event(4, 'bob', 'ack', 'ann>bob', 1),
      event(5, 'bob', 'surface', 'ann>bob', 2, 'b'),
      event(6, 'bob', 'start'),
    ]
    const again = event(7, 'bob', 'surface', 'ann>bob', 2, 'b')
    expect(check([...story, again])).toMatchObject({ wrong: [], shownAgain: 1, surfaced: 2 })
    expect(check([...story, { ...again, k: 1, hash: 'a' }]).wrong).toEqual(['C2: ann>bob 1 was shown twice'])
  })

  test('accepts that a killed sender loses what was not in its journal, and that it arrives all the same', () => {
    const lost = [event(1, 'ann', 'send', 'ann>bob', 1, 'a'), event(2, 'ann', 'start')]
    expect(check(lost)).toMatchObject({ wrong: [], withdrawn: 1 })
    const arrived = [...lost, event(3, 'bob', 'surface', 'ann>bob', 1, 'a')]
    expect(check(arrived)).toMatchObject({ wrong: [], withdrawn: 0, surfaced: 1 })
  })

  test('accepts that a message that ended with a word is not shown', () => {
    const sent = [event(1, 'ann', 'send', 'ann>bob', 1, 'a'), event(2, 'ann', 'receipt', 'ann>bob', 1, '', 'stored')]
    expect(check(sent).wrong).toEqual(['C1: ann>bob 1 was receipted and never shown'])
    expect(check([...sent, event(3, 'ann', 'receipt', 'ann>bob', 1, '', 'expired')]).wrong).toEqual([])
  })

  test('tells how long each recovery took', () => {
    const story = [
      event(0, 'ann', 'send', 'ann>bob', 1, 'a'),
      event(1_000, 'server', 'ready'),
      event(251_000, 'bob', 'surface', 'ann>bob', 1, 'a'),
    ]
    expect(check(story).recoveriesMs).toEqual([250])
  })
})

test('a history comes back from its files in the order of time, without a torn line', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ackd-history-'))
  const [ann, bob] = [new History(directory, 'ann'), new History(directory, 'bob')]
  ann.note({ who: 'ann', what: 'send', stream: 'ann>bob', k: 1, hash: hashOf(Buffer.from('hello')) })
  bob.note({ who: 'bob', what: 'surface', stream: 'ann>bob', k: 1, hash: hashOf(Buffer.from('hello')) })
  ann.note({ who: 'ann', what: 'receipt', stream: 'ann>bob', k: 1, detail: 'delivered' })
  ann.close()
  bob.close()
  appendFileSync(join(directory, 'ann.jsonl'), '{"t":1,"who"')
  const history = readHistory(directory)
  expect(history.map(({ what }) => what)).toEqual(['send', 'surface', 'receipt'])
  expect(check(history).wrong).toEqual([])
  rmSync(directory, { recursive: true })
})
