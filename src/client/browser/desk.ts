/**
 * What the application of one tab was told and has asked for: the address, the state, the rooms that it is in. It outlives whoever leads.
 */
import type { Status } from '../connector.ts'
import type { CourierEvents } from '../courier.ts'
import type { Entrance } from '../rooms/memberships.ts'

export class Desk {
  /** Tells the application, and notes what must be known of it. */
  readonly face: CourierEvents
  readonly #entrances = new Map<string, Entrance>()
  #id: string | null
  #status: Status = { state: 'connecting' }

  /** `renamed`: the address is another one than before. */
  constructor(events: CourierEvents, id: string | null, renamed: () => void) {
    this.#id = id
    this.face = {
      ...events,
      status: status => {
        this.#status = status
        if (status.state === 'connected' && status.id !== this.#id) {
          renamed()
          this.#id = status.id
        }
        events.status(status)
      },
      left: (room, error) => {
        this.#entrances.delete(room)
        events.left(room, error)
      },
    }
  }

  /** The own address; null until it is known. */
  get id(): string | null {
    return this.#id
  }

  get isConnected(): boolean {
    return this.#status.state === 'connected'
  }

  /** The rooms that this tab is in; behind which message, its own rooms know. */
  get entrances(): Iterable<Entrance> {
    return this.#entrances.values()
  }

  enter({ room, password }: Entrance): void {
    this.#entrances.set(room, { room, ...(password !== undefined && { password }) })
  }

  leave(room: string): void {
    this.#entrances.delete(room)
  }

  /** The connection is gone, and so is what was asked over it. */
  lose(status: Status): void {
    this.face.lost()
    this.face.status(status)
  }
}
