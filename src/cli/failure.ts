/**
 * How a command ends when it cannot do what it was asked: a number for scripts, a sentence for people, and the line that fixes it.
 *
 * Every failure that a user can meet is one of these; anything else that is thrown is a bug and keeps its stack.
 */

/** The exit codes. They are part of what scripts rely on and never change their meaning. */
export const exitCodes = {
  ok: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** No connection to the server. */
  unreachable: 3,
  /** The server said no. */
  refused: 4,
  /** It did not happen within the time that was given. */
  late: 5,
} as const

export type Ending = keyof typeof exitCodes

export class Failure extends Error {
  readonly ending: Exclude<Ending, 'ok'>
  /** What to do about it: a command to run or a thing to change. */
  readonly fix: string

  constructor(ending: Exclude<Ending, 'ok'>, message: string, fix: string) {
    super(message)
    this.name = 'Failure'
    this.ending = ending
    this.fix = fix
  }
}

/**
 * A failure in the words of another part of the product. Those say what is wrong and, after a semicolon, what to do; `fix` is for a
 * sentence without one.
 */
export function failureOf(ending: Failure['ending'], sentence: string, fix: string): Failure {
  const cut = sentence.indexOf('; ')
  if (cut === -1) return new Failure(ending, sentence, fix)
  return new Failure(ending, sentence.slice(0, cut), sentence.slice(cut + 2))
}
