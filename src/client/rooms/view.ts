/**
 * A room as a value that changes: what a page shows of it. For `react.ts`, and for whatever else renders values.
 *
 * The room is entered when somebody looks and left when nobody does any more. What it shows is the end of the log: a page of the history
 * first, and then what comes, each message once and in the order of the offsets.
 */
import type { Client } from '../client.ts'
import type { Status } from '../connector.ts'
import { AckdError } from '../errors.ts'
import type { RoomMessage } from './feed.ts'
import type { Room } from './room.ts'
import type { RoomOptions } from './rooms.ts'

export interface RoomViewOptions extends Pick<RoomOptions, 'password'> {
  /** Messages that are shown at most; the oldest go. 200 unless said otherwise. */
  readonly keep?: number
  /** Messages of the past that are loaded at first; 50 unless said otherwise, at most 200. */
  readonly history?: number
}

export interface RoomSnapshot<Payload = unknown> {
  /** Null until it was entered. */
  readonly room: Room<Payload> | null
  /** In the room now. */
  readonly present: boolean
  /** Oldest first. */
  readonly messages: readonly RoomMessage<Payload>[]
  /** Messages that are still on their way here. */
  readonly behind: number
  /** Why this client is not in the room, and will not be by itself. */
  readonly error: AckdError | null
}

interface Visit {
  isOver: boolean
  leave: () => void
}

/** What is needed of a client, whatever it says in direct messages. */
export interface RoomClient {
  readonly rooms: Client['rooms']
  on(name: 'status', listener: (status: Status) => void): () => void
}

const nothing = { room: null, present: false, messages: [], behind: 0, error: null }

const views = new WeakMap<RoomClient, Map<string, unknown>>()

/** The view of a room, one for all who ask; the options of the first one count. */
export function viewOf<Payload>(client: RoomClient, name: string, options: RoomViewOptions): RoomView<Payload> {
  const own = views.get(client) ?? new Map<string, unknown>()
  views.set(client, own)
  // What bodies are is a matter between the applications.
  const view = (own.get(name) as RoomView<Payload> | undefined) ?? new RoomView<Payload>(client, name, options)
  own.set(name, view)
  return view
}

export class RoomView<Payload = unknown> {
  readonly #client: RoomClient
  readonly #name: string
  readonly #options: RoomViewOptions
  readonly #listeners = new Set<() => void>()
  #snapshot: RoomSnapshot<Payload> = nothing
  #leave: (() => void) | null = null

  constructor(client: RoomClient, name: string, options: RoomViewOptions = {}) {
    this.#client = client
    this.#name = name
    this.#options = options
  }

  /** Calls `changed` when the snapshot is another one. Returns what ends that. */
  readonly subscribe = (changed: () => void): (() => void) => {
    this.#listeners.add(changed)
    this.#leave ??= this.#enter()
    return () => {
      this.#listeners.delete(changed)
      // Whoever looks again at once, as React does while it develops, is still in.
      setTimeout(() => {
        if (this.#listeners.size > 0) return
        this.#leave?.()
        this.#leave = null
      }, 0)
    }
  }

  /** The same object until something has changed. */
  readonly snapshot = (): RoomSnapshot<Payload> => this.#snapshot

  #enter(): () => void {
    const visit: Visit = { isOver: false, leave: () => {} }
    const { password } = this.#options
    this.#client.rooms.join<Payload>(this.#name, password === undefined ? {} : { password }).then(
      room => {
        if (visit.isOver) return room.leave()
        visit.leave = this.#watch(room, visit)
        this.#load(room, visit)
      },
      (error: unknown) => {
        if (!visit.isOver) this.#set({ error: isAckdError(error) ? error : new AckdError('internal', String(error)) })
      },
    )
    return () => {
      visit.isOver = true
      visit.leave()
      this.#snapshot = nothing
    }
  }

  #load(room: Room<Payload>, visit: Visit): void {
    room.history({ limit: this.#options.history ?? 50 }).then(
      ({ messages }) => visit.isOver || this.#add(messages),
      // What is missing then is only the past.
      () => {},
    )
  }

  #watch(room: Room<Payload>, visit: Visit): () => void {
    const look = (): void => this.#set({ room, present: room.present, behind: room.behind })
    const ends = [
      room.on('joined', look),
      room.on('lost', () => {
        // Offsets are given out anew: what is shown would stand among messages of another log, or hide them.
        this.#set({ messages: [] })
        this.#load(room, visit)
      }),
      room.on('left', ({ error }) => this.#set({ present: false, error })),
      this.#client.on('status', look),
      room.on('message', message => {
        this.#add([message])
        // This one is dealt with.
        this.#set({ present: room.present, behind: room.behind - 1 })
      }),
    ]
    look()
    return () => {
      for (const end of ends) end()
      room.leave()
    }
  }

  #add(more: readonly RoomMessage<Payload>[]): void {
    const byOffset = new Map([...this.#snapshot.messages, ...more].map(message => [message.offset, message]))
    const sorted = [...byOffset.values()].sort((a, b) => a.offset - b.offset)
    this.#set({ messages: sorted.slice(-(this.#options.keep ?? 200)) })
  }

  #set(change: Partial<RoomSnapshot<Payload>>): void {
    this.#snapshot = { ...this.#snapshot, ...change }
    for (const listener of this.#listeners) listener()
  }
}

/** Also one of another copy of the library, such as `/client.js` is. */
function isAckdError(error: unknown): error is AckdError {
  return error instanceof Error && error.name === 'AckdError'
}
