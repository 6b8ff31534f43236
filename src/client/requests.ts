/** Questions to the server that are answered by a `reply` or an `error` with the same ref. They do not outlive the connection. */
import type { Ref } from '../protocol/frames.ts'
import { AckdError } from './errors.ts'

const MAX_OPEN = 1_000

interface Request {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: AckdError) => void
}

export class Requests {
  readonly #mark: string
  readonly #open = new Map<Ref, Request>()
  #last = 0

  /** `mark` begins the refs; '' for numbers. */
  constructor(mark = '') {
    this.#mark = mark
  }

  /** Calls `write` with a fresh ref and waits for the answer to it. */
  ask(write: (ref: Ref) => void): Promise<unknown> {
    if (this.#open.size >= MAX_OPEN) return Promise.reject(new AckdError('busy'))
    return new Promise((resolve, reject) => {
      const ref = this.#mark === '' ? ++this.#last : `${this.#mark}${++this.#last}`
      this.#open.set(ref, { resolve, reject })
      write(ref)
    })
  }

  replied(ref: Ref, value: unknown): void {
    this.#take(ref)?.resolve(value)
  }

  refused(ref: Ref, error: AckdError): void {
    this.#take(ref)?.reject(error)
  }

  /** The connection is gone, and with it the answers. */
  closed(error: AckdError): void {
    for (const request of this.#open.values()) request.reject(error)
    this.#open.clear()
  }

  #take(ref: Ref): Request | undefined {
    const request = this.#open.get(ref)
    this.#open.delete(ref)
    return request
  }
}
