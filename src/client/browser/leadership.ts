/**
 * What the tab that leads does: it has the office, tells this tab and the others what the office says, and asks the office what they ask.
 *
 * A message is shown by every tab that listens, and is acked when the first of them is done with it: a tab that is slow, or fails,
 * or dies with the message in its hands does not hold up the rest.
 */
import type { Candidacy } from './candidacy.ts'
import { perform } from './channel.ts'
import type { Status } from '../connector.ts'
import type { CourierEvents, Terms } from '../courier.ts'
import { Followers } from './followers.ts'
import type { RoomCursor } from '../rooms/feed.ts'
import type { Incoming } from '../inbox.ts'
import type { Entrance } from '../rooms/memberships.ts'
import { Office, type OfficeOptions } from './office.ts'
import type { Asked, Told, Word } from './words.ts'

export interface LeadershipOptions {
  readonly url: string
  readonly office: OfficeOptions
  /** The name of this tab. */
  readonly tab: string
  readonly epoch: number
  /** To know when another tab is gone. */
  readonly candidacy: Candidacy
}

export interface LeadershipEvents {
  /** To one tab, or to all others. */
  readonly tell: (call: Told, to: string | null) => void
  /** To this tab. */
  readonly face: CourierEvents
  /** This tab shows it, if it listens. */
  show(message: Incoming): void
  /** Something has left the outbox. */
  settled(): void
  /** There is a connection, or a tab is gone: a time to look whether letters have been left. */
  look(): void
}

export class Leadership {
  readonly office: Office
  readonly #tab: string
  readonly #epoch: number
  readonly #events: LeadershipEvents
  readonly #followers: Followers
  /** By room, the tabs that are in it. */
  readonly #rooms = new Map<string, Set<string>>()
  #listening = false
  /** The message that the office shows. */
  #showing: Incoming | null = null
  #status: Status = { state: 'connecting' }
  #terms: Terms | null = null
  #over = false

  constructor({ url, office, tab, epoch, candidacy }: LeadershipOptions, events: LeadershipEvents) {
    this.#tab = tab
    this.#epoch = epoch
    this.#events = events
    this.#followers = new Followers(candidacy, gone => this.bye(gone))
    this.office = new Office(url, office, this.#telling())
  }

  /** What a tab must know that follows. What waited when this one connected, the tabs were told that were there then: it is not under way again. */
  get state(): Omit<Extract<Word, { kind: 'lead' }>, 'kind'> {
    const isConnected = this.#status.state === 'connected'
    const status = isConnected ? { ...this.#status, parked: 0 } : this.#status
    return { epoch: this.#epoch, status, terms: isConnected ? this.#terms : null, rooms: this.office.rooms }
  }

  /** This tab listens to messages, or does not. */
  listen(listening: boolean): void {
    this.#listening = listening
    this.#listen()
    if (listening && this.#showing) this.#events.show(this.#showing)
  }

  /** Another tab is there, and listens or does not. */
  follow(tab: string, listening: boolean): void {
    this.#followers.set(tab, listening)
    this.#listen()
    if (listening && this.#showing) this.#events.tell(['show', this.#showing], tab)
  }

  /** Another tab is gone. */
  bye(tab: string): void {
    this.#followers.delete(tab)
    this.#listen()
    for (const room of [...this.#rooms.keys()]) this.leave(tab, room)
    this.#events.look()
  }

  asked(tab: string, call: Asked): void {
    switch (call[0]) {
      case 'listen':
        return this.follow(tab, call[1])
      case 'dealt':
        return this.dealt(call[1], call[2])
      case 'enter':
        return this.enter(tab, call[1])
      case 'leave':
        return this.leave(tab, call[1])
      case 'roomRecorded':
        return this.roomRecorded(call[1])
      case 'frame':
        perform(this.office.frames ?? {}, [call[1], ...call[2]])
        return this.office.wake()
      default:
        return perform(this.office, call)
    }
  }

  /** A tab enters a room. */
  enter(tab: string, entrance: Entrance): void {
    const tabs = this.#rooms.get(entrance.room) ?? new Set()
    this.#rooms.set(entrance.room, tabs.add(tab))
    this.office.enter(entrance)
  }

  /** A tab leaves a room; the client does with the last one. */
  leave(tab: string, room: string): void {
    const tabs = this.#rooms.get(room)
    if (tabs?.delete(tab) !== true || tabs.size > 0) return
    this.#rooms.delete(room)
    this.office.leave(room)
  }

  /** A tab has read so far. What counts is the one that has read most. */
  roomRecorded(cursor: RoomCursor): void {
    const known = this.office.rooms.find(({ room, epoch }) => room === cursor.room && epoch === cursor.epoch)
    if (known && cursor.offset <= known.offset) return
    // Who has left forgets how far it had read; who is still there has not.
    if (cursor.offset >= 0 || !this.#rooms.has(cursor.room)) this.office.roomRecorded(cursor)
  }

  /** A tab is done with a message. The first one counts. */
  dealt(message: Incoming, refused: string | null): void {
    const showing = this.#showing
    if (showing?.n !== message.n || showing.from !== message.from || showing.outbox !== message.outbox) return
    this.#showing = null
    this.office.dealt(message, refused)
  }

  /** Ends it in peace. */
  async close(bye: boolean, flushMs: number): Promise<void> {
    await this.office.close(bye, flushMs)
    this.#end()
  }

  /** Ends it at once; nothing more is told. */
  abandon(): void {
    this.#end()
    this.office.abandon()
  }

  #end(): void {
    this.#over = true
    this.#followers.clear()
  }

  #listen(): void {
    this.office.listen(this.#listening || this.#followers.listening)
  }

  #telling(): CourierEvents {
    const { tell, face } = this.#events
    const both = (...call: Told): void => {
      if (this.#over) return
      tell(call, null)
      perform(face, call)
    }
    return {
      status: status => {
        this.#status = status
        both('status', status)
      },
      welcomed: terms => {
        this.#terms = terms
        both('welcomed', terms)
        this.#events.look()
      },
      lost: () => both('lost'),
      show: message => {
        if (this.#over) return
        this.#showing = message
        tell(['show', message], null)
        if (this.#listening) this.#events.show(message)
      },
      settled: ({ key, target, n }, outbox, outcome) => {
        both('settled', { key, target, n }, outbox, outcome)
        this.#events.settled()
      },
      refused: (key, error) => both('refused', key, error),
      gap: gap => both('gap', gap),
      entered: (...entered) => both('entered', ...entered),
      renamed: (room, epoch) => both('renamed', room, epoch),
      left: (room, error) => {
        this.#rooms.delete(room)
        both('left', room, error)
      },
      room: (...message) => both('room', ...message),
      members: (...member) => both('members', ...member),
      missed: () => both('missed'),
      failed: error => both('failed', error),
      signal: (from, to, body) => both('signal', from, to, body),
      reply: (ref, value) => this.#answer(ref, ['reply', ref, value]),
      error: (ref, code, text) => {
        if (ref === null) both('error', ref, code, text)
        else this.#answer(ref, ['error', ref, code, text])
      },
    }
  }

  /** An answer goes to the tab that asked. */
  #answer(ref: number | string, call: Told): void {
    if (this.#over) return
    const asker = String(ref).split(' ')[0] ?? ''
    if (asker === this.#tab) perform(this.#events.face, call)
    else this.#events.tell(call, asker)
  }
}
