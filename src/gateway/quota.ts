/**
 * How often something may be tried in a minute: so often by one client, and so often from one network, whatever connections and ids come from
 * it. So it is with wrong passwords of rooms, and with the making of rooms.
 *
 * An attempt is counted before it is judged, and may be given back, so that a crowd of attempts at once is no way round. Rooms are not counted:
 * whoever wants to keep the members of one out would only have to guess.
 */
import { networkOf } from './network.ts'
import { Tally } from './tally.ts'

const SPAN_MS = 60_000

/** Who tries, and from where. */
export interface Trier {
  readonly id: string
  readonly address: string
}

export class Quota {
  readonly #tally = new Tally(SPAN_MS)
  /** Of one client in a minute; may change at any time. */
  perMinute: number
  /** How many times as many may come from one network. */
  readonly #times: number

  constructor(perMinute: number, times: number) {
    this.perMinute = perMinute
    this.#times = times
  }

  /** Counts an attempt. Null: it may be judged. Else how long to wait, and whether this is the first time that it is said. */
  attempt({ id, address }: Trier, now: number): { readonly waitMs: number; readonly first: boolean } | null {
    let waitMs = 0
    let first = false
    for (const [name, most] of this.#limits(id, address)) {
      const count = this.#tally.add(name, now)
      if (count > most) waitMs = Math.max(waitMs, this.#tally.leftMs(name, now))
      first ||= count === most + 1
    }
    return waitMs === 0 ? null : { waitMs, first }
  }

  /** It was no abuse, or could not be judged. */
  takeBack({ id, address }: Trier, now: number): void {
    for (const [name] of this.#limits(id, address)) this.#tally.takeBack(name, now)
  }

  /** Neither an id nor an address holds a space. */
  #limits(id: string, address: string): readonly (readonly [name: string, most: number])[] {
    return [
      [`of ${id}`, this.perMinute],
      [`from ${networkOf(address)}`, this.perMinute * this.#times],
    ]
  }
}
