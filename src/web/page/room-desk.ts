/**
 * The rooms that the page is in: enters them, writes down what is said and who comes and goes, and loads what was said before.
 */
import type { AckdError, Client, JoinReply, MemberPage, Room, RoomMessage, RoomOptions } from '../../client/index.ts'
import { readBody, readName, type Body } from './body.ts'
import {
  newConversation,
  newestOffset,
  oldestOffset,
  withEntries,
  withLog,
  withMember,
  withMembers,
  withNote,
  withoutHole,
  type Conversation,
  type Entry,
  type Person,
} from './conversation.ts'
import { withExisting, withNames, type State } from './state.ts'
import type { Store } from './store.ts'

export interface RoomEvents {
  /** Messages of the log are there, in its order; `isNew`: they were said, and not loaded. */
  came(target: string, entries: readonly Entry[], isNew: boolean): void
  /** Entered, with so many messages ahead of what was read. */
  entered(target: string, behind: number): void
}

/** Messages that are loaded at a time. */
const PAGE = 50
/** Pages of 200 people that are loaded; of more it is only said that they are there. */
const MEMBER_PAGES = 5

export class RoomDesk {
  readonly #client: Client<Body>
  readonly #store: Store<State>
  readonly #events: RoomEvents
  readonly #rooms = new Map<string, Room<Body>>()
  readonly #loading = new Set<string>()
  /** Of rooms of which not all is kept that was read: the offset up to which it is. */
  readonly #keptUpTo = new Map<string, number>()

  constructor(client: Client<Body>, store: Store<State>, events: RoomEvents) {
    this.#client = client
    this.#store = store
    this.#events = events
  }

  /** Enters a room, for as long as the page lives or until it is left. Rejects with the library's error when it is refused. */
  async enter(target: string, password: string): Promise<void> {
    if (this.#rooms.has(target)) return
    const options: RoomOptions = password === '' ? {} : { password }
    const room = await this.#client.rooms.join<Body>(target, options)
    if (this.#rooms.has(target)) return
    this.#rooms.set(target, room)
    const kept = newestOffset(this.#store.value.conversations.get(target) ?? newConversation(target))
    // What comes from the server begins behind what was read.
    if (kept > 0 && kept < room.offset) this.#keptUpTo.set(target, kept)
    this.#set(target, conversation => ({
      ...conversation,
      password,
      trouble: '',
      present: room.present,
      mark: conversation.mark ?? room.offset,
    }))
    this.#events.entered(target, Math.max(0, room.behind))
    this.#listen(room)
    await this.#look(room)
  }

  /** Leaves it and forgets how far it was read. */
  leave(target: string): void {
    this.#rooms.get(target)?.leave()
    this.#rooms.delete(target)
  }

  /** The connection is gone: nobody is in any room. */
  closed(): void {
    for (const target of this.#rooms.keys()) this.#set(target, conversation => ({ ...conversation, present: false }))
  }

  signal(target: string, body: unknown): void {
    this.#rooms.get(target)?.signal(body)
  }

  /** Loads what was said before the oldest message that is there. */
  async older(target: string): Promise<void> {
    const room = this.#rooms.get(target)
    const conversation = this.#store.value.conversations.get(target)
    const before = conversation ? oldestOffset(conversation) : null
    if (room !== undefined && before !== null) await this.#load(room, before)
  }

  #listen(room: Room<Body>): void {
    const { name: target } = room
    room.on('joined', reply => this.#joined(room, reply))
    room.on('message', message => {
      this.#came(target, [this.#entryOf(message)], true)
      this.#set(target, conversation => ({ ...conversation, present: room.present }))
    })
    room.on('member', ({ event, id, name }) => {
      const who = { id, name: readName(name) }
      this.#store.change(state => withNames(state, [who]))
      if (id !== this.#client.id) this.#set(target, conversation => withMember(conversation, event, who, Date.now()))
      else this.#set(target, conversation => ({ ...conversation, present: room.present }))
    })
    room.on('gap', () => this.#set(target, conversation => withNote(conversation, 'gap', '', Date.now())))
    room.on('left', ({ error }) => this.#left(target, error))
  }

  #joined(room: Room<Body>, { offset, epoch }: JoinReply): void {
    this.#events.entered(room.name, Math.max(0, offset - room.offset))
    this.#set(room.name, conversation => ({ ...withLog(conversation, epoch), present: true }))
    void this.#look(room)
  }

  #left(target: string, { message }: AckdError): void {
    this.#rooms.delete(target)
    this.#set(target, conversation => ({ ...conversation, present: false, members: [], trouble: message }))
  }

  /** Who is here, and what was said last. What cannot be asked now is asked when there is a connection again. */
  async #look(room: Room<Body>): Promise<void> {
    await Promise.all([this.#load(room, null), this.#loadMembers(room)])
  }

  async #load(room: Room<Body>, before: number | null): Promise<void> {
    const { name: target } = room
    if (this.#loading.has(target)) return
    this.#loading.add(target)
    try {
      const { messages, epoch } = await room.history(before === null ? { limit: PAGE } : { before, limit: PAGE })
      this.#set(target, conversation => withLog(conversation, epoch))
      const kept = this.#keptUpTo.get(target)
      if (kept !== undefined && before === null) {
        this.#keptUpTo.delete(target)
        this.#set(target, conversation => withoutHole(conversation, kept, messages[0]?.offset ?? Infinity))
      }
      this.#came(
        target,
        messages.map(message => this.#entryOf(message)),
        false,
      )
      if (messages.length < PAGE) this.#set(target, conversation => ({ ...conversation, hasOlder: false }))
    } catch {
      // Asked again when somebody scrolls up, or when there is a connection.
    } finally {
      this.#loading.delete(target)
    }
  }

  async #loadMembers(room: Room<Body>): Promise<void> {
    const people: Person[] = []
    let after: string | null = null
    try {
      for (let page = 0; page < MEMBER_PAGES; page++) {
        const { members, next }: MemberPage = await room.members(after === null ? {} : { after })
        people.push(...members.map(({ id, name }) => ({ id, name: readName(name) })))
        after = next
        if (next === null) break
      }
      this.#store.change(state => withNames(state, people))
      this.#set(room.name, conversation => withMembers(conversation, people, after !== null))
    } catch {
      // Those who are known stay.
    }
  }

  #came(target: string, entries: readonly Entry[], isNew: boolean): void {
    this.#set(target, conversation => withEntries(conversation, entries))
    this.#store.change(state =>
      withNames(
        state,
        entries.map(({ from, name }) => ({ id: from, name })),
      ),
    )
    this.#events.came(target, entries, isNew)
  }

  #entryOf({ offset, from, outbox, n, time, body }: RoomMessage<Body>): Entry {
    const { text, name, key } = readBody(body)
    const own = from === this.#client.id
    return {
      // One's own is known by the key that it was written under; of others nobody can say what their keys are.
      key: own && key !== '' ? key : `${from} ${outbox} ${n}`,
      from,
      name: readName(name),
      text,
      time,
      at: time,
      own,
      tick: own ? 'stored' : null,
      trouble: '',
      offset,
    }
  }

  #set(target: string, change: (conversation: Conversation) => Conversation): void {
    this.#store.change(state => withExisting(state, target, change))
  }
}
