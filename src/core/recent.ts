/**
 * What a room was told last, kept while somebody joins: so one who is almost there need not ask the log again, and again, for what is
 * said meanwhile. What does not fit goes, the oldest first; then there is still the log.
 */
import type { HistoryMessage } from '../protocol/frames.ts'

const MESSAGES = 1_024
const BYTES = 1024 * 1024

export class Recent {
  #messages: HistoryMessage[] = []
  #bytes = 0

  push(message: HistoryMessage): void {
    this.#messages.push(message)
    this.#bytes += sizeOf(message)
    if (this.#messages.length <= MESSAGES && this.#bytes <= BYTES) return
    // Half at once, so that a full memory is not moved up with every message.
    for (const old of this.#messages.splice(0, (this.#messages.length + 1) >> 1)) this.#bytes -= sizeOf(old)
  }

  clear(): void {
    if (this.#messages.length > 0) this.#messages = []
    this.#bytes = 0
  }

  /** Everything after that offset, or null if that is not whole here. */
  after(offset: number): readonly HistoryMessage[] | null {
    const first = this.#messages[0]
    if (first === undefined || first.offset > offset + 1) return null
    return this.#messages.filter(message => message.offset > offset)
  }
}

function sizeOf({ body }: HistoryMessage): number {
  return body.end - body.start
}
