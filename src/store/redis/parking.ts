/**
 * What is parked in one stretch of work, for many clients, goes to Redis as one script: starting it costs more than parking a message.
 *
 * The group is sent when the stretch is over, when it is large enough, and before any other call, so that the order of calls stays
 * what it was. In a cluster the clients are in different slots, and each goes alone. When a group fails, each of it is asked for alone,
 * so that one broken mailbox is nobody else's trouble; asking twice is harmless.
 */
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { listOf } from './records.ts'

/** Clients and bytes of one script, about: Redis does nothing else meanwhile. */
const GROUP = 32
const GROUP_BYTES = 256 * 1024

interface Waiting {
  readonly id: string
  readonly parcels: Buffer
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: unknown) => void
}

export class RedisParking {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #now: () => string
  #group: Waiting[] = []
  #bytes = 0

  constructor(link: RedisLink, keys: Keys, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#now = now
  }

  park(id: string, parcels: Buffer): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#group.length === 0) queueMicrotask(() => this.flush())
      this.#group.push({ id, parcels, resolve, reject })
      this.#bytes += parcels.length
      if (this.#link.isCluster || this.#group.length === GROUP || this.#bytes >= GROUP_BYTES) this.flush()
    })
  }

  flush(): void {
    const group = this.#group
    if (group.length === 0) return
    this.#group = []
    this.#bytes = 0
    this.#send(group).then(
      replies => {
        for (const [index, { resolve }] of group.entries()) resolve(replies[index] ?? null)
      },
      (error: unknown) => {
        for (const one of group) this.#alone(one, group.length, error)
      },
    )
  }

  async #send(group: readonly Waiting[]): Promise<readonly unknown[]> {
    const keys = group.flatMap(({ id }) => this.#keys.client(id))
    return listOf(await this.#link.run('enqueue', keys, this.#now(), ...group.map(({ parcels }) => parcels)))
  }

  #alone(one: Waiting, of: number, error: unknown): void {
    if (of === 1 || this.#link.trouble !== null) one.reject(error)
    else this.#send([one]).then(([reply]) => one.resolve(reply ?? null), one.reject)
  }
}
