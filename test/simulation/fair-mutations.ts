/** The rules about telling senders at other nodes, in worlds in which no word gets lost; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

export const fairMutations: readonly Mutation[] = [
  {
    rule: 'the node of a sender is told only when what was acked has left the mailbox',
    edits: [
      {
        file: 'src/core/drain.ts',
        find: '    this.#owed.add(stream)\n',
        replace: '    this.#hub.news.settled(this.#session.id, [stream])\n',
      },
    ],
    within: 200,
  },
  {
    rule: 'what is heard of a mailbox is looked at there, and is no claim',
    edits: [
      {
        file: 'src/core/upstream.ts',
        find: '    this.#news = true\n    this.note()\n',
        replace: '    this.delivered(this.taken)\n    this.#settled = this.taken\n',
      },
    ],
    within: 200,
  },
]
