/** The rule about what is sent beyond the credit, in worlds in which everybody writes to everybody; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

export const crowdMutations: readonly Mutation[] = [
  {
    rule: 'to be turned away is no fault; to come again too early is',
    edits: [
      {
        file: 'src/core/overdraft.ts',
        find: 'if (now < turned.early) this.#unheeded++',
        replace: 'this.#unheeded++',
      },
    ],
    within: 50,
  },
]
