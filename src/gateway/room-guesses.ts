/**
 * How often the password of a room may be wrong: so often for one client, and so often for one network, whatever connections and ids come
 * from it.
 *
 * An attempt is counted before it is judged, and given back when it was right, so that a crowd of attempts at once is no way round. Rooms are not counted:
 * whoever wants to keep its members out would only have to guess.
 */
import { networkOf } from './network.ts'
import { Tally } from './tally.ts'

const SPAN_MS = 60_000
const OF_CLIENT = 10
const FROM_NETWORK = 30

/** Who offers a password, and from where. */
export interface Guesser {
  readonly id: string
  readonly address: string
}

export class RoomGuesses {
  readonly #tally = new Tally(SPAN_MS)

  /** Counts an attempt. Null: it may be judged. Else how long to wait, and whether this is the first time that it is said. */
  attempt({ id, address }: Guesser, now: number): { readonly waitMs: number; readonly first: boolean } | null {
    let waitMs = 0
    let first = false
    for (const [name, most] of limitsOf(id, address)) {
      const count = this.#tally.add(name, now)
      if (count > most) waitMs = Math.max(waitMs, this.#tally.leftMs(name, now))
      first ||= count === most + 1
    }
    return waitMs === 0 ? null : { waitMs, first }
  }

  /** The password was right, or could not be judged. */
  takeBack({ id, address }: Guesser, now: number): void {
    for (const [name] of limitsOf(id, address)) this.#tally.takeBack(name, now)
  }
}

/** Neither an id nor an address holds a space. */
function limitsOf(id: string, address: string): readonly (readonly [name: string, most: number])[] {
  return [
    [`of ${id}`, OF_CLIENT],
    [`from ${networkOf(address)}`, FROM_NETWORK],
  ]
}
