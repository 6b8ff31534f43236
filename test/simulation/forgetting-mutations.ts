/** The rules about forgetting streams that the simulation must miss, on forgetful nodes, when one of them is off; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

export const forgettingMutations: readonly Mutation[] = [
  {
    rule: 'a stream is not forgotten at its recipient while an ack of it is to come',
    edits: [
      {
        file: 'src/core/downstream.ts',
        find: 'return this.idle && this.parked === 0',
        replace: 'return this.idle',
      },
    ],
    within: 500,
  },
  {
    rule: 'who forgets at the sender what was not told asks the mailbox before the next receipt',
    edits: [{ file: 'src/core/sending.ts', find: '    if (!isClean) this.isFirst = false\n', replace: '' }],
    // It is told mostly, before it is forgotten.
    within: 5_000,
  },
]
