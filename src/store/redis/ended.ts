/**
 * Streams of which something has ended in mailboxes, until the processes of their senders are told: whatever is said in one turn of
 * the loop about one sender goes as one message, however many streams, mailboxes and messages that was.
 *
 * While Redis is slow to answer they wait, and go together later. What does not fit is not told: the sender hears of it when it asks.
 */
import { splitStream, streamName } from '../../protocol/mailbox.ts'
import { isClientId } from '../../protocol/names.ts'

/** Streams that wait, at most. */
const STREAMS = 10_000
/** Calls without an answer from which on they wait, and how long, ms. */
const BUSY = 4_000
const WAIT_MS = 20
/** Streams in one message, so that none is large. */
const TOLD = 500

export class EndedStreams {
  readonly #pending: () => number
  readonly #tell: (from: string, message: string) => void
  /** By sender: outbox and recipient of each, a space between them. */
  readonly #bySender = new Map<string, Set<string>>()
  #size = 0
  #timer: NodeJS.Timeout | null = null

  /** `pending`: how many calls Redis has not answered. `tell`: tells the process of that client. */
  constructor(pending: () => number, tell: (from: string, message: string) => void) {
    this.#pending = pending
    this.#tell = tell
  }

  add(stream: string, recipient: string): void {
    if (this.#size >= STREAMS) return
    const [from, outbox] = splitStream(stream)
    let streams = this.#bySender.get(from)
    if (streams === undefined) this.#bySender.set(from, (streams = new Set()))
    if (this.#size === 0) setImmediate(() => this.#flushLater())
    const before = streams.size
    this.#size += streams.add(`${outbox} ${recipient}`).size - before
  }

  /** Tells what still waits. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#flush()
  }

  #flushLater(): void {
    this.#timer = null
    if (this.#pending() > BUSY) this.#timer = setTimeout(() => this.#flushLater(), WAIT_MS)
    else this.#flush()
  }

  #flush(): void {
    for (const [from, streams] of this.#bySender) {
      const all = [...streams]
      for (let at = 0; at < all.length; at += TOLD) this.#tell(from, `d${from} ${all.slice(at, at + TOLD).join(' ')}`)
    }
    this.#bySender.clear()
    this.#size = 0
  }
}

/** Calls for each stream in a message, without its letter. What is none is passed over. */
export function readEnded(text: string, ended: (stream: string, recipient: string) => void): void {
  const [from = '', ...rest] = text.split(' ')
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const recipient = rest[i + 1] ?? ''
    if (isClientId(recipient)) ended(streamName(from, rest[i] ?? ''), recipient)
  }
}
