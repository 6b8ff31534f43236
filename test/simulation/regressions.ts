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
  { seed: 4, story: 'what expired on another node is called delivered by the receipt of what followed it' },
  { seed: 12, story: 'an ack of what follows a refused message is told before the refusal' },
  {
    seed: 16,
    story: 'a resend of what expired in an earlier session is called delivered, since more was acked in this one',
  },
  { seed: 82, story: 'the copy of a refused message is acked as a repeat, and called delivered' },
  { seed: 515, story: 'a message that is held and one behind it that is parked send each other back for ever' },
  { seed: 1196, story: 'a live refusal is told to a connection that is gone, and not to the one that took its place' },
  { seed: 1331, story: 'an end is told after the receipt that covers it' },
  { seed: 1961, story: 'the store has made a void, its answer gets lost, and nobody tells the sender' },
  { seed: 2458, story: 'the last refusal of a session gets lost, and the removal after it counts it as delivered' },
  {
    seed: 5289,
    story: 'the floor of what is parked passes a number that was refused live, which the mailbox then calls delivered',
  },
  { seed: 100660, story: 'what was acked is told while the answer about what was parked before it is on its way' },
  {
    seed: 429316,
    story: 'an end is told to the connection that had sent the message, and not to the one that has come since',
  },
  { seed: 901787, story: 'a message that is sent again while its end is on its way has no end of its own' },
  {
    seed: 2078404624,
    story: 'who numbers his messages is not told to go back, since what was handed back had an end before',
  },
]

/** The same of worlds on nodes that remember next to nothing. */
export const forgetfulRegressions: typeof regressions = [
  {
    seed: 770741,
    story: 'a forgotten stream is refused once more for each message that was on its way, until that is a flood',
  },
]

/** The same of worlds in which everybody writes to everybody. */
export const crowdedRegressions: typeof regressions = [
  {
    seed: 1,
    story: 'who has gone back finds his credit used up by what he counts as not sent, and is taken for a flood',
  },
]

/** The same of worlds whose clients do as they like. */
export const livelyRegressions: typeof regressions = [
  {
    seed: 590,
    story: 'a stream whose only message was refused in doubt waits for ever for a connection that came long ago',
  },
]

/** The same of worlds with clients that number nothing. */
export const speakingRegressions: typeof regressions = [
  { seed: 378, story: 'the server gives a number again that the store has taken without an answer' },
  { seed: 327, story: 'what is handed back together is told by its lowest number, to one who goes back to none' },
]
