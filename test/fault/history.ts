/**
 * What the parties of a fault run wrote down, one JSON line for each thing that happened to them.
 *
 * A line is written before the deed it tells of (a send) or within it (a message that is shown), by one call of the system, so that a
 * killed process leaves a whole history behind. Streams are named by the addresses that the library reports, never by what a body
 * says, so the judge needs no word of what it judges. All processes of a machine share the monotonic clock.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type What =
  /** A party's process begins, for the first time or again. */
  | 'start'
  /** Message k of the stream is about to be handed to the library. */
  | 'send'
  /** It is in the sender's journal and so outlives the sender's process. */
  | 'kept'
  /** The sender was told `detail`: stored, delivered, expired, rejected, dead, or the code of a refusal. */
  | 'receipt'
  /** It was shown to the recipient's handler. */
  | 'surface'
  /** The recipient's journal has it as dealt with; its ack comes later. */
  | 'ack'
  /** The recipient was told that messages will not come. */
  | 'gap'
  /** A connection ended; `detail` says why. */
  | 'close'
  /** `detail` was done to the party `who`. */
  | 'fault'
  /** The server is there, again. */
  | 'ready'

export interface HistoryEvent {
  /** µs of the monotonic clock. */
  readonly t: number
  readonly who: string
  readonly what: What
  /** `sender>recipient`; '' where there is none. */
  readonly stream: string
  /** Counts what one sender wrote to one recipient, from 1; 0 where there is none. */
  readonly k: number
  /** Of the body; '' where there is none. */
  readonly hash: string
  readonly detail: string
}

export type Happening = Partial<HistoryEvent> & Pick<HistoryEvent, 'who' | 'what'>

/** A history of one process, in a file of its own. */
export class History {
  #file: number | null
  /** µs; when the last message was shown or receipted. */
  #movedAt = 0

  /** `directory` is that of the run; a file that is there is gone on with. */
  constructor(directory: string, name: string) {
    this.#file = openSync(join(directory, `${name}.jsonl`), 'a')
  }

  /** After `close` the run is over, and what still happens to its parties is no part of it. */
  note(happening: Happening): void {
    if (this.#file === null) return
    const t = now()
    writeSync(this.#file, `${JSON.stringify({ t, stream: '', k: 0, hash: '', detail: '', ...happening })}\n`)
    if (happening.what === 'surface' || happening.what === 'receipt') this.#movedAt = t
  }

  /** ms since a message was last shown or receipted here. */
  get quietMs(): number {
    return (now() - this.#movedAt) / 1_000
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

/** The histories of all processes of a run, in the order of time. A line that a kill has torn is no event. */
export function readHistory(directory: string): HistoryEvent[] {
  const files = readdirSync(directory).filter(name => name.endsWith('.jsonl'))
  return files.flatMap(name => parseHistory(readFileSync(join(directory, name), 'utf8'))).sort((a, b) => a.t - b.t)
}

export function parseHistory(text: string): HistoryEvent[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const lines = whole.split('\n').filter(line => line !== '')
  return lines.map(line => JSON.parse(line) as HistoryEvent)
}

export function hashOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 16)
}

function now(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
