/**
 * What sessions were given of their mailboxes and have not acked yet: so much of it as taking it away needs, so that Redis need not read
 * it again. In a script each byte that is read costs more than sending it.
 *
 * It may be wrong in one way only, which is to know too little: then Redis looks itself. So what a process knows here it may forget at any
 * time, and does when it knows too much: sessions that are evicted end without a word to the store.
 */
import type { Entry } from '../../protocol/mailbox.ts'
import type { Argument } from './link.ts'

/** Messages of all mailboxes together, at most; those of the mailbox that was read first go first. */
const MESSAGES = 100_000
/** Streams that are told to Redis with one removal, at most: of more it reads the messages. */
const STREAMS = 64

interface Given {
  readonly s: number
  readonly stream: string
  readonly n: number
  /** Of its body; -1: it is a void, which counts neither as delivered nor in bytes. */
  readonly bytes: number
}

interface Session {
  readonly token: string
  /** In order, without a hole. */
  given: Given[]
}

export class Handed {
  readonly #most: number
  readonly #sessions = new Map<string, Session>()
  #messages = 0

  constructor(most: number = MESSAGES) {
    this.#most = most
  }

  /** Messages that it knows of. */
  get size(): number {
    return this.#messages
  }

  /** A session was given what follows `after`. What it was given of that before does not count any more. */
  note(id: string, token: string, after: number, entries: readonly Entry[]): void {
    if (entries.length === 0) return
    const before = this.#sessions.get(id)
    const known = before?.token === token ? before.given : []
    this.forget(id)
    const end = known.findLastIndex(({ s }) => s <= after) + 1
    const given = known[end - 1]?.s === after ? known.slice(0, end) : []
    for (const { s, stream, n, body } of entries) {
      given.push({ s, stream, n, bytes: body === null ? -1 : body.end - body.start })
    }
    this.#sessions.set(id, { token, given })
    this.#messages += given.length
    for (const oldest of this.#sessions.keys()) {
      if (this.#messages <= this.#most) break
      this.forget(oldest)
    }
  }

  /**
   * What there is to tell of everything up to `upTo`, which is about to be taken away, for `remove` of `scripts-mailbox.ts`; nothing if that is not
   * known whole. It is forgotten with that, whatever becomes of the call.
   */
  take(id: string, token: string, upTo: number): readonly Argument[] {
    const session = this.#sessions.get(id)
    if (session?.token !== token) return []
    const { given } = session
    const count = given.findLastIndex(({ s }) => s <= upTo) + 1
    const gone = given.splice(0, count)
    this.#messages -= count
    if (given.length === 0) this.#sessions.delete(id)
    return gone.at(-1)?.s === upTo ? told(gone) : []
  }

  forget(id: string): void {
    this.#messages -= this.#sessions.get(id)?.given.length ?? 0
    this.#sessions.delete(id)
  }
}

function told(gone: readonly Given[]): readonly Argument[] {
  let bytes = 0
  let stream = ''
  let n = 0
  const delivered = new Map<string, number>()
  for (const one of gone) {
    if (one.bytes < 0) continue
    bytes += one.bytes
    // One stream often follows itself.
    if (one.stream !== stream) {
      if (n > 0) delivered.set(stream, n)
      stream = one.stream
      n = delivered.get(stream) ?? 0
    }
    n = Math.max(n, one.n)
  }
  if (n > 0) delivered.set(stream, n)
  if (delivered.size > STREAMS) return []
  return [gone.length, bytes, ...[...delivered].flat()]
}
