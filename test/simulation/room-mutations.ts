/** The rules about rooms that the simulation must miss when one of them is off; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

const room = 'src/core/room.ts'

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
    within: 400,
  },
  {
    rule: 'who joins is live only when it has caught up',
    edits: [
      {
        file: room,
        find: 'if (member.at === HERE || member.at === this.#cursor) ready.push(member)',
        replace: 'if (member.at <= this.#cursor) ready.push(member)',
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
        file: room,
        find: 'epoch === undefined ? record.last : agreedUpTo(record, epoch)',
        replace: 'epoch === undefined ? record.last : Math.max(record.last, agreedUpTo(record, epoch))',
      },
    ],
    within: 1_000,
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
    within: 1_000,
  },
]
