/**
 * What is parked in one stretch of work, for many clients, goes to Redis as one script: starting it costs more than parking a message.
 *
 * The group is sent when the stretch is over, when it is large enough, and before any other call, so that the order of calls stays
 * what it was. In a cluster the clients are in different slots, and each goes alone. When a group fails, each of it is asked for alone,
 * so that one broken mailbox is nobody else's trouble; asking twice is harmless.
 *
 * Parcels are written at once where they are sent from: large pieces of memory, each left to the groups in it once it is full.
 */
import type { EnqueueResult, Parcel } from '../../protocol/mailbox.ts'
import type { Keys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { listOf, sizeOfParcels, writeParcels } from './records.ts'

/** Clients and bytes of one script, about: Redis does nothing else meanwhile. */
const GROUP = 32
const GROUP_BYTES = 256 * 1024
const PIECE_BYTES = 512 * 1024

interface Waiting {
  readonly id: string
  readonly batch: readonly Parcel[]
  /** Where its parcels are in the piece. */
  readonly from: number
  readonly to: number
  readonly resolve: (result: EnqueueResult | Promise<EnqueueResult>) => void
  readonly reject: (error: unknown) => void
}

/** Makes a result of what the script answers of one client; null: there is no such client. */
type Read = (id: string, batch: readonly Parcel[], reply: unknown) => EnqueueResult | Promise<EnqueueResult>

export class RedisParking {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #now: () => string
  readonly #read: Read
  #group: Waiting[] = []
  #piece = Buffer.alloc(0)
  /** Up to where the piece is used. */
  #end = 0

  constructor(link: RedisLink, keys: Keys, now: () => string, read: Read) {
    this.#link = link
    this.#keys = keys
    this.#now = now
    this.#read = read
  }

  /** The batch is not empty. */
  park(id: string, batch: readonly Parcel[]): Promise<EnqueueResult> {
    const size = 4 + sizeOfParcels(batch)
    if (this.#end + size > this.#piece.length) this.#renew(size)
    const from = this.#end
    this.#end = writeParcels(batch, this.#piece, this.#piece.writeUInt32BE(size - 4, from))
    return new Promise((resolve, reject) => {
      const group = this.#group
      if (group.length === 0) queueMicrotask(() => this.flush())
      group.push({ id, batch, from, to: this.#end, resolve, reject })
      const bytes = this.#end - (group[0]?.from ?? from)
      if (this.#link.isCluster || group.length === GROUP || bytes >= GROUP_BYTES) this.flush()
    })
  }

  flush(): void {
    const group = this.#group
    if (group.length === 0) return
    this.#group = []
    const piece = this.#piece
    this.#send(group, piece).then(
      replies => {
        for (const [index, one] of group.entries()) this.#answer(one, replies[index])
      },
      (error: unknown) => {
        for (const one of group) this.#alone(one, piece, group.length, error)
      },
    )
  }

  #renew(size: number): void {
    this.flush()
    this.#piece = Buffer.allocUnsafeSlow(Math.max(size, PIECE_BYTES))
    this.#end = 0
  }

  /** Of the first client goes its record too, as every script wants one. */
  async #send(group: readonly Waiting[], piece: Buffer): Promise<readonly unknown[]> {
    const keys: string[] = []
    for (const { id } of group) {
      const [box, mail, streams] = this.#keys.client(id)
      if (keys.length === 0) keys.push(box)
      keys.push(mail, streams)
    }
    const parcels = piece.subarray(group[0]?.from, group.at(-1)?.to)
    return listOf(await this.#link.run('enqueue', keys, this.#now(), parcels))
  }

  #alone(one: Waiting, piece: Buffer, of: number, error: unknown): void {
    if (of === 1 || this.#link.trouble !== null) one.reject(error)
    else this.#send([one], piece).then(([reply]) => this.#answer(one, reply), one.reject)
  }

  #answer({ id, batch, resolve, reject }: Waiting, reply: unknown): void {
    try {
      resolve(this.#read(id, batch, reply))
    } catch (error) {
      reject(error)
    }
  }
}
