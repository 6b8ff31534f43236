/**
 * The rules of `docs/architecture.md`, and for each the lines of production code that hold it, with what they become when the
 * rule is off. Where the code changes, the table has to follow: a text that is not found exactly once is an error.
 */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutation {
  readonly rule: string
  readonly edits: readonly Edit[]
  /** Schedules within which it has to go red. */
  readonly within: number
}

const tables = 'src/store/memory/tables.ts'

export const mutations: readonly Mutation[] = [
  {
    rule: 'a mailbox takes only the next number of a stream',
    edits: [{ file: 'src/store/streams.ts', find: 'return n === next ? null : next', replace: 'return null' }],
    within: 200,
  },
  {
    rule: 'an entry leaves the mailbox only when it is acked: it is never popped to be sent',
    edits: [
      {
        file: tables,
        find: "return { kind: 'page', entries, more,",
        replace: "this.#take(box, entries.at(-1)?.s ?? 0)\n    return { kind: 'page', entries, more,",
      },
    ],
    within: 200,
  },
  {
    rule: 'an entry leaves the mailbox only under the token of the session',
    edits: [
      {
        file: tables,
        find: "return fenced(box.ownership, token) ?? (given > box.given ? { kind: 'forgotten' } : box)",
        replace: 'return given > box.given && token ? box : box',
      },
      {
        file: tables,
        find: 'for (const parked of this.#take(box, upTo))',
        replace: 'for (const parked of box.entries.splice(0, 1))',
      },
    ],
    within: 400,
  },
  {
    rule: 'a drain pages by cursor, never by index',
    edits: [
      {
        file: 'src/core/drain.ts',
        find: '    if (s <= this.#sent) return false\n    this.#sent = s\n',
        replace: '    this.#sent++\n',
      },
      { file: 'src/core/drain.ts', find: '  #asked = 0\n', replace: '  #asked = 0\n  #count = 0\n' },
      {
        file: 'src/core/drain.ts',
        find: '  acked(s: number): void {\n',
        replace: '  acked(s: number): void {\n    this.#count++\n',
      },
      {
        file: 'src/core/drain.ts',
        find: '      this.#removed = this.#asked\n',
        replace: '      this.#removed = this.#asked\n      this.#sent -= this.#count\n      this.#count = 0\n',
      },
      {
        file: tables,
        find: 'if (parked.s <= after) continue',
        replace: 'if (box.entries.indexOf(parked) < after) continue',
      },
    ],
    within: 200,
  },
  {
    rule: 'a message goes live only if it follows one that was sent in this session',
    edits: [
      {
        file: 'src/core/receiving.ts',
        find: 'if (n === lane.tail + 1 && lane.tail > 0) {',
        replace:
          'if (n === lane.tail + 1 || lane.tail === 0) {\n      if (lane.tail === 0) lane.sent = lane.tail = n - 1',
      },
    ],
    within: 200,
  },
  {
    rule: 'who comes back looks into the mailbox, whatever the bind said of it',
    edits: [{ file: 'src/core/drain.ts', find: 'this.#more = !isFresh', replace: 'this.#more = isFresh' }],
    within: 400,
  },
  {
    rule: 'the client acks in order, and never past a message whose handler has not finished',
    edits: [
      {
        file: 'src/client/inbox.ts',
        find: 'let next = this.#received + 1',
        replace: 'if (this.#received > 0) return this.#received\n    let next = this.#received + 1',
      },
    ],
    within: 200,
  },
  {
    rule: 'the sender keeps stored messages as shadows until they are delivered',
    edits: [
      {
        file: 'src/client/outbox.ts',
        find: '    if (count <= stream.stored) return\n',
        replace: '    if (count > 0) return this.#end(stream, count, STORED)\n    if (count <= stream.stored) return\n',
      },
    ],
    within: 400,
  },
  {
    rule: 'a place that was never given out is of a history that was lost, and is not taken for an ack',
    edits: [{ file: tables, find: "(given > box.given ? { kind: 'forgotten' } : box)", replace: 'box' }],
    within: 2_000,
  },
  {
    rule: 'stored is told only after the store has answered',
    edits: [
      {
        file: 'src/core/custody.ts',
        find: '    if (parking.add(message))',
        replace: '    message.source?.stored(message.n)\n    if (parking.add(message))',
      },
    ],
    within: 200,
  },
  {
    rule: 'one go-back per stream and round trip',
    edits: [
      {
        file: 'src/core/upstream.ts',
        find: 'if (n > this.refused && floor <= this.refused) return true',
        replace: 'return false',
      },
      {
        file: 'src/core/upstream.ts',
        find: 'if (this.refused !== 0 && n >= this.refused) return false\n',
        replace: '',
      },
    ],
    within: 2_000,
  },
]
