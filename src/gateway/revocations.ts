/**
 * The tokens that are no longer good, as this node knows them: a copy of the list in the store, which is asked twice a second what is new.
 *
 * So a revocation made on any node is held by every node within a second, and checking a token costs a look into a map. While the
 * store does not answer, what is known stays known. What has expired is forgotten, since such a token is refused anyway.
 */
import type { AccountStore, ListedRevocation } from '../store/account-store.ts'
import type { Pass } from './claims.ts'

const POLL_MS = 500
const AT_ONCE = 1_000
const FORGET_MS = 60_000

export class Revocations {
  readonly #store: AccountStore
  readonly #failed: (error: unknown) => void
  /** By `jti`, and by `sub`. */
  readonly #tokens = new Map<string, ListedRevocation>()
  readonly #clients = new Map<string, ListedRevocation>()
  #last = 0
  #polledAt: number | null = null
  #forgotAt = 0
  #polling = false

  /** `failed` is told when the store does not answer. */
  constructor(store: AccountStore, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
  }

  revoked({ id, token, issued }: Pass): boolean {
    if (token !== null && this.#tokens.has(token)) return true
    const revocation = this.#clients.get(id)
    return revocation !== undefined && issued <= revocation.time
  }

  /** Asks for what is new, if it is time to; `found` is called when there is something. `time`: ms since the epoch. */
  tick(now: number, time: number, found: () => void): void {
    if (this.#polling || (this.#polledAt !== null && now - this.#polledAt < POLL_MS)) return
    this.#polledAt = now
    if (now - this.#forgotAt >= FORGET_MS) {
      this.#forgotAt = now
      this.#forget(time)
    }
    void this.#poll(found)
  }

  /** Reads all that is new. Rejects when the store does not answer. */
  async read(): Promise<boolean> {
    const before = this.#last
    for (;;) {
      const page = await this.#store.revocations(this.#last, AT_ONCE)
      for (const revocation of page) this.#note(revocation)
      if (page.length < AT_ONCE) return this.#last > before
    }
  }

  async #poll(found: () => void): Promise<void> {
    this.#polling = true
    try {
      if (await this.read()) found()
    } catch (error) {
      this.#failed(error)
    }
    this.#polling = false
  }

  #note(revocation: ListedRevocation): void {
    const { kind, value, s } = revocation
    ;(kind === 'token' ? this.#tokens : this.#clients).set(value, revocation)
    this.#last = Math.max(this.#last, s)
  }

  #forget(time: number): void {
    for (const revoked of [this.#tokens, this.#clients])
      for (const [value, { expires }] of revoked) if (expires <= time) revoked.delete(value)
  }
}
