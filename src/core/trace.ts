/**
 * What happened to messages here, step by step, as long as it is remembered: a ring of the last steps of all messages together.
 *
 * It is written on the hot path, so a step is a few numbers and references put into arrays that were made at the start: nothing is
 * allocated, copied or looked up. Looking for a message goes through all of them, which only an operator asks for. Bodies
 * are never seen here.
 */

/** Taken from its sender · on its way into the mailbox · sent to its recipient · and its ends, as in receipts. */
export const steps = [
  'taken',
  'parked',
  'sent',
  'stored',
  'delivered',
  'rejected',
  'expired',
  'dead',
  'retry',
  'failed',
] as const

export type Step = (typeof steps)[number]

/** What a step is about. */
interface Subject {
  readonly recipient: string
  readonly stream: string
  readonly n: number
}

export interface TracedStep {
  /** ms since the epoch. */
  readonly time: number
  readonly recipient: string
  readonly step: Step
  /** Why, or by which way; '' when there is nothing more to say. */
  readonly detail: string
}

export class Trace {
  /** Steps remembered; 0: none. */
  readonly size: number
  readonly #times: Float64Array
  readonly #numbers: Float64Array
  readonly #steps: Step[]
  readonly #streams: string[]
  readonly #recipients: string[]
  readonly #details: string[]
  #next = 0

  constructor(size: number) {
    this.size = size
    this.#times = new Float64Array(size)
    this.#numbers = new Float64Array(size)
    this.#steps = new Array<Step>(size).fill('taken')
    this.#streams = new Array<string>(size).fill('')
    this.#recipients = new Array<string>(size).fill('')
    this.#details = new Array<string>(size).fill('')
  }

  note(time: number, step: Step, { recipient, stream, n }: Subject, detail = ''): void {
    if (this.size === 0) return
    const at = this.#next
    this.#next = at + 1 === this.size ? 0 : at + 1
    this.#times[at] = time
    this.#numbers[at] = n
    this.#steps[at] = step
    this.#streams[at] = stream
    this.#recipients[at] = recipient
    this.#details[at] = detail
  }

  /** The steps of message n of a stream, to whomever it went, the oldest first. */
  find(stream: string, n: number): readonly TracedStep[] {
    const found: TracedStep[] = []
    for (let i = 0; i < this.size; i++) {
      const at = (this.#next + i) % this.size
      if (this.#numbers[at] !== n || this.#streams[at] !== stream) continue
      const [time = 0, step = 'taken'] = [this.#times[at], this.#steps[at]]
      found.push({ time, recipient: this.#recipients[at] ?? '', step, detail: this.#details[at] ?? '' })
    }
    return found
  }
}
