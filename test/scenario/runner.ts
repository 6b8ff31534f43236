/**
 * Runs a story over the production hub, and writes down what happened.
 *
 * A story is a text: lines that act, each followed by lines that begin with `> ` and say everything that came of it, in order. The
 * runner acts, and writes the story anew with what it saw; a story is right when that is the same text. Nothing that happens can
 * be left out, and `SCENARIO_REWRITE=1 npx vitest run test/scenario` writes the expectations of a new or changed story.
 *
 * The vocabulary. People have names, and messages are called by their number in the stream: m3 is n = 3. Ids, secrets,
 * sequence numbers and tokens stay hidden. Lines that begin with `#` are for the reader.
 *
 *   Given …                                   a limit, before anything else: see `givens` in words.ts
 *   Bob connects [again] [to node 2] [on his phone] [with attempt 1] [with a window of 2]
 *                [with a wrong | the old secret] [with a token] [without an outbox]
 *                [called Bobby] [as an admin] [for the rooms #a, #b*]
 *   Alice sends Bob m1 | m1 and m2 | m1 to m4 [again] [of 200 KB] [for 10s] [saying "words"] [, holding m1 | nothing else] [too fast]
 *   Alice sends Bob a message without a number
 *   Bob acks m1 [from Alice] | everything | what was never sent
 *   Bob refuses m1 [from Alice]: reason
 *   Alice creates #tea [privately] [with the password x] [keeping 9 messages]; Alice deletes #tea
 *   Bob joins #tea [since 3 [in another epoch]] [with the password x]; Bob leaves #tea
 *   Bob asks for [2 of] the rooms [after #tea] | who is in #tea | for 2 of those in #tea [after Alice]
 *   Bob asks for [2 messages of] the history of #tea [before 9] [after 2] [from Alice]
 *   Bob reads nothing | reads again           what he is sent stays with the server, as far as that knows
 *   Bob leaves                                he says bye
 *   Bob is cut off                            his connection ends by itself
 *   Alice asks what is kept for Bob           a sync
 *   Alice asks who is there: Bob, Carol
 *   Alice asks for a new secret
 *   Alice signals Bob: typing
 *   30s pass                                  the only way in which time goes on; what happens meanwhile is told with its time
 *   the store is slow | away | deaf | back    slow: calls wait. away: no call takes effect. deaf: it does what it is asked and does not answer
 *   the store answers [2 calls]               to what waits, or to that many of them, and goes on being slow
 *   the store is swept                        expiry and lapsing, a step of house-keeping
 *   the store is copied | falls back          a failover to the copy
 *   the nodes stop | start hearing each other
 *   node 1 shuts down | is killed
 *
 * `Bob` is his latest connection; `Bob's phone` the one on his phone; `Bob's earlier connection` the one before.
 */
import { act, given } from './words.ts'
import { World } from './world.ts'

/** The story as it turns out. Throws, with the number of the line, at words that it does not know. */
export function retell(story: string): string {
  const world = new World()
  const told: string[] = []
  for (const [index, line] of story.split('\n').entries()) {
    if (line.startsWith('> ')) continue
    told.push(line)
    if (line === '' || line.startsWith('#')) continue
    try {
      if (line.startsWith('Given ')) given(world, line.slice('Given '.length))
      else act(world, line)
    } catch (thrown) {
      throw new Error(`line ${index + 1}, "${line}": ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
        cause: thrown,
      })
    }
    for (const event of world.heard()) told.push(`> ${event}`)
  }
  return told.join('\n')
}
