/** The rules about what a client does not number, in worlds with such clients; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

/** It takes some calls without an answer: `from` is shortly before a world in which they come together. */
export interface Distant extends Mutation {
  readonly from: number
}

export const speakingMutations: readonly Distant[] = [
  {
    rule: 'a number of the server is not given twice where the store may have it',
    edits: [
      {
        file: 'src/core/upstream.ts',
        find: 'if (!this.numbered && n > this.taken) this.taken = n',
        replace: '',
      },
    ],
    from: 370,
    within: 2_000,
  },
  {
    rule: 'who goes back to no number hears of each',
    edits: [
      {
        file: 'src/core/upstream.ts',
        find: 'for (let n = this.#open; n <= this.#delivered; n++)',
        replace: 'for (let n = this.#open; n <= this.#open; n++)',
      },
    ],
    from: 320,
    within: 2_000,
  },
]
