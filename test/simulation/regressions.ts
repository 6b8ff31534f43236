/** Seeds that were red once, and what they found. A change of the world deals their cards anew; they stay as further worlds. */
export const regressions: readonly { readonly seed: number; readonly story: string }[] = [
  { seed: 59, story: 'a failover brings back entries that were removed, and nothing removes them again' },
  { seed: 570, story: 'a message comes into the mailbox between a bind and its answer, and nobody looks' },
  { seed: 633, story: 'what follows a message that is handed back keeps its credit while it is under way' },
  { seed: 1132, story: 'after a failover a cumulative receipt repeats what was true before it' },
  { seed: 1330, story: 'a batch takes effect without an answer, and the recipient who is here is not told' },
  { seed: 1441, story: 'a sync settles the very number that a refusal waits for' },
  { seed: 1967, story: 'a sender is told of a nack while its message is still on its way into the mailbox' },
  { seed: 2453, story: 'a false receipt after a failover is a loss' },
  { seed: 7648, story: 'a sync settles messages that the node still counts, until the sender is taken for a flood' },
]
