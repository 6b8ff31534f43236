/**
 * The rooms of a client, as an application sees them: makes them, looks for them, and hands each what is said in it.
 */
import type { Body, CreateOptions, ListOptions, MemberEvent } from '../../protocol/frames.ts'
import { isRoom } from '../../protocol/names.ts'
import type { Courier } from '../courier.ts'
import { AckdError } from '../errors.ts'
import type { RoomCursor } from './feed.ts'
import { Room } from './room.ts'
import type { RoomHost } from './host.ts'
import { readRooms, type JoinReply, type RoomList } from './replies.ts'

/** How a room is entered. */
export interface RoomOptions {
  readonly password?: string
  /**
   * The offset behind which to begin; 0: with the oldest message that is kept. Without it, with what comes from now on. Has no effect
   * when it is known how far the room was read.
   */
  readonly since?: number
}

interface Entry {
  readonly room: Room
  /** Settled by the first answer. */
  readonly first: Promise<Room>
  readonly resolve: (room: Room) => void
  readonly reject: (error: AckdError) => void
}

/** Rooms of one client; the server allows 128 by default. */
const MAX_ROOMS = 1_000

export class Rooms {
  /** For the rooms: their questions come by here, where they concern more than one. */
  readonly #host: RoomHost
  readonly #client: RoomHost
  readonly #entries = new Map<string, Entry>()
  /** Why the client has ended; null while it has not. */
  #over: AckdError | null = null
  /** How far rooms were read, also those that this client is not in now. */
  readonly #cursors = new Map<string, RoomCursor>()
  /** Until it is known how far rooms were read. */
  #loading: Promise<void> | null = null

  constructor(host: RoomHost, cursors: Courier['rooms']) {
    if (cursors instanceof Promise) this.#loading = cursors.then(known => this.#know(known))
    else this.#know(cursors)
    this.#client = host
    this.#host = {
      ...host,
      leave: name => this.#leave(name),
      recorded: cursor => {
        this.#cursors.set(cursor.room, cursor)
        host.recorded(cursor)
      },
    }
  }

  /**
   * Enters a room, and stays in it over any number of connections until it is left. Resolves when the client is in, with the same room
   * for the same name; rejects when the server refuses for good.
   */
  async join<Payload = unknown>(name: string, options: RoomOptions = {}): Promise<Room<Payload>> {
    if (!isRoom(name)) throw new AckdError('bad_id', `${name.slice(0, 80)} is not a room; rooms begin with #`)
    if (this.#loading) await this.#loading
    if (this.#over) throw this.#over
    const entry = this.#entries.get(name) ?? this.#enter(name, options)
    const room = await entry.first
    // What bodies are is a matter between the applications.
    return room as Room<Payload>
  }

  /** Makes a room that this client owns, and does not enter it. */
  async create(name: string, options: CreateOptions = {}): Promise<void> {
    await this.#host.ask((frames, ref) => frames.create(ref, name, options))
  }

  /** Deletes a room with its log: for its owner and admins. */
  async delete(name: string): Promise<void> {
    await this.#host.ask((frames, ref) => frames.delete(ref, name))
  }

  /** The public rooms, by name. */
  async list(options: ListOptions = {}): Promise<RoomList> {
    return readRooms(await this.#host.ask((frames, ref) => frames.rooms(ref, options)))
  }

  // ── told by the client ──────────────────────────────────────────────────────────────────────────────────────────────────

  entered(name: string, reply: JoinReply): void {
    const entry = this.#entries.get(name)
    entry?.room.joined(reply)
    entry?.resolve(entry.room)
  }

  renamed(name: string, epoch: string): void {
    this.#entries.get(name)?.room.renamed(epoch)
  }

  left(name: string, error: AckdError): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#forget(name)
    entry.reject(error)
    entry.room.left(error)
  }

  /** The connection is gone, and with it all memberships for now. */
  closed(): void {
    for (const { room } of this.#entries.values()) room.closed()
  }

  message(name: string, offset: number, from: string, outbox: string, n: number, time: number, body: Body): void {
    this.#entries.get(name)?.room.message(offset, from, outbox, n, time, body)
  }

  member(name: string, event: MemberEvent, id: string, who: string, own: boolean): void {
    const room = this.#entries.get(name)?.room
    room?.member(event, id, who)
    if (event === 'leave' && own) room?.closed()
  }

  /** The client ends. */
  stop(error: AckdError): void {
    this.#over = error
    for (const { room, reject } of this.#entries.values()) {
      room.stop()
      reject(error)
    }
  }

  #know(cursors: readonly RoomCursor[]): void {
    for (const cursor of cursors) this.#cursors.set(cursor.room, cursor)
    this.#loading = null
  }

  #enter(name: string, { password, since }: RoomOptions): Entry {
    if (this.#entries.size >= MAX_ROOMS) throw new AckdError('busy', `at most ${MAX_ROOMS} rooms`)
    const asked = since === undefined ? null : { epoch: '', offset: since }
    const room = new Room(name, this.#cursors.get(name) ?? asked, this.#host)
    let resolve: Entry['resolve'] = () => {}
    let reject: Entry['reject'] = () => {}
    const first = new Promise<Room>((...settle) => ([resolve, reject] = settle))
    // Whoever called `join` hears of it; nobody else has to.
    first.catch(() => {})
    const entry = { room, first, resolve, reject }
    this.#entries.set(name, entry)
    const known = room.since
    this.#host.enter({
      room: name,
      ...(password !== undefined && { password }),
      ...(known !== null && { since: known }),
    })
    return entry
  }

  #leave(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#forget(name)
    entry.reject(new AckdError('closed', `${name} was left`))
    entry.room.stop()
    this.#client.leave(name)
  }

  #forget(name: string): void {
    this.#entries.delete(name)
    this.#host.recorded({ room: name, epoch: '', offset: -1, time: 0 })
    this.#cursors.delete(name)
  }
}
