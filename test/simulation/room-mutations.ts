/** The rules about rooms that the simulation must miss when one of them is off; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

const room = 'src/core/room.ts'
const roll = 'src/core/roll.ts'

export const roomMutations: readonly Mutation[] = [
  {
    rule: 'members are told what the log has, not what it may have',
    edits: [
      {
        file: room,
        find: 'if (result === null) return this.#pause()',
        replace:
          'if (result === null) for (const message of batch) this.#fanOut(asHistory(this.#cursor + 1, message))\n    if (result === null) return this.#pause()',
      },
    ],
    within: 200,
  },
  {
    rule: 'the log takes only the next number of a stream',
    edits: [{ file: 'src/store/memory/rooms.ts', find: "if (n <= last) return 'stored'", replace: '' }],
    within: 200,
  },
  {
    rule: 'a node tells only what follows the last offset that it has told',
    edits: [
      {
        file: room,
        find: 'if (outcome.offset === this.#cursor + 1)',
        replace: 'if (outcome.offset > this.#cursor)',
      },
    ],
    within: 200,
  },
  {
    rule: 'what the log has beyond that is read from it',
    edits: [
      { file: room, find: 'if (result.last > this.#cursor) this.#behind = true', replace: '' },
      { file: room, find: 'this.#behind = true\n    this.#pauseUntil', replace: 'this.#pauseUntil' },
    ],
    within: 1_200,
  },
  {
    rule: 'who joins is live only when it has caught up',
    edits: [
      {
        file: room,
        find: 'if (member.at === HERE || member.at === this.#cursor) {',
        replace: 'if (member.at <= this.#cursor) {',
      },
    ],
    within: 200,
  },
  {
    rule: 'what is sent during a join waits for it',
    edits: [
      {
        file: 'src/core/publishing.ts',
        find: 'else member.waiting.push(message)',
        replace: "else custody.refuse(message, 'not_joined')",
      },
    ],
    within: 200,
  },
  {
    rule: 'stored is told only after the log has it',
    edits: [
      {
        file: 'src/core/custody.ts',
        find: '    this.#hub.stats.published++\n',
        replace: '    this.#hub.stats.published++\n    message.source?.stored(message.n)\n',
      },
    ],
    within: 200,
  },
  {
    rule: 'members that have seen what the log has lost begin anew',
    edits: [
      {
        file: room,
        find: 'this.#cursor > agreedUpTo(log, known.epoch) && log.epoch !== known.epoch',
        replace: "log.epoch === 'never'",
      },
    ],
    within: 400,
  },
  {
    rule: 'who joins behind an offset names the epoch that it is of',
    edits: [
      {
        file: 'src/core/member.ts',
        find: 'epoch === undefined ? record.last : agreedUpTo(record, epoch)',
        replace: 'epoch === undefined ? record.last : Math.max(record.last, agreedUpTo(record, epoch))',
      },
    ],
    within: 1_000,
  },
  {
    rule: 'who is fed is told first of which epoch that is, since the reply may never come',
    edits: [{ file: 'src/core/member.ts', find: 'if (this.#named !== this.epoch) this.#name()', replace: '' }],
    within: 400,
  },
  {
    rule: 'a page that only repeats what was told meanwhile is no end of the log',
    edits: [
      {
        file: room,
        find: 'if (answer.entries.length === 0) this.#cursor',
        replace: 'if (fresh.length === 0) this.#cursor',
      },
    ],
    within: 2_000,
  },
  {
    rule: 'who goes from a node is told to have gone when the store says so, since he may be at another',
    edits: [
      {
        file: roll,
        find: 'this.#changes.set(id, null)\n    return []',
        replace: 'this.#changes.set(id, null)\n    return this.#strike(id)',
      },
    ],
    within: 200,
  },
  {
    rule: 'a change of the roll is followed only from the one before it',
    edits: [{ file: roll, find: 'this.#mark === 0 || before !== this.#mark', replace: 'this.#mark === 0' }],
    within: 4_000,
  },
  {
    rule: 'what was heard while the roll was read is looked for once more',
    edits: [
      {
        file: roll,
        find: 'this.#isUnsure ||= this.#heard > Math.max(mark, this.#mark === asked.seen ? 0 : this.#mark)',
        replace: '',
      },
      { file: room, find: 'if (pollMs > 0 && now - this.#lookedAt >= pollMs) this.look()', replace: '' },
    ],
    within: 2_500,
  },
  {
    rule: 'a report that was not answered is made again',
    edits: [
      {
        file: roll,
        find: 'this.#changes = new Map([...asked.changes, ...this.#changes])',
        replace: '',
      },
    ],
    within: 400,
  },
  {
    rule: 'who is here, and not on the roll that was read, is reported again',
    edits: [{ file: roll, find: 'if (!this.#changes.has(id)) this.#changes.set(id, name)', replace: '' }],
    within: 1_000,
  },
  {
    rule: 'who is on the roll as being here, and is not, is taken off',
    edits: [
      {
        file: roll,
        find: '        this.#changes.set(id, null)\n        this.#doubtful.set(id, name)\n',
        replace: '        news.push(...this.#came(id, name))\n',
      },
    ],
    within: 4_000,
  },
  {
    rule: 'a roll keeps by client at which node he is, so that no other can take him off',
    edits: [
      {
        file: 'test/support/roll-tables.ts',
        find: 'if (present.get(id)?.lease !== own) continue',
        replace: 'if (!present.has(id)) continue',
      },
    ],
    within: 600,
  },
  {
    rule: 'clients of a process that is dead are taken off',
    edits: [
      {
        file: 'test/support/roll-tables.ts',
        find: 'lease !== own && !this.#world.lives(lease)',
        replace: "lease === 'none'",
      },
    ],
    within: 400,
  },
]

/** Those of worlds whose room is made anew. */
export const remadeMutations: readonly Mutation[] = [
  {
    rule: 'an append names the room that its senders are in, since another one may have the name by then',
    edits: [
      {
        file: 'src/store/memory/rooms.ts',
        find: "if (epoch !== undefined && !isEpochOf(room.settings.epoch, epoch)) return { kind: 'another_room' }",
        replace: '',
      },
    ],
    within: 200,
  },
  {
    rule: 'nothing goes to a room that was entered before until the join says that it is still that one',
    edits: [{ file: 'src/client/rooms/circles.ts', find: 'this.#outbox.hold(room)', replace: '' }],
    within: 200,
  },
  {
    rule: 'what was said in the room that had the name before is given up',
    edits: [
      {
        file: 'src/client/rooms/circles.ts',
        find: 'else if (!areOfOneRoom(known, epoch)) this.#outbox.disown(room)',
        replace: '',
      },
    ],
    within: 200,
  },
]
