/** What is to be done once, for all nodes: a key with a life beside those of its target. */
import type { Keys } from './keys.ts'
import type { OnceStore } from '../once-store.ts'
import type { RedisLink } from './link.ts'
import { textOf } from './records.ts'

export class RedisOnce implements OnceStore {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #now: () => string

  constructor(link: RedisLink, keys: Keys, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#now = now
  }

  async decide(target: string, name: string, value: string, lifeMs: number): Promise<string> {
    return textOf(await this.#link.run('once', [this.#keys.once(target, name)], this.#now(), value, lifeMs))
  }
}
