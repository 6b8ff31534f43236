/**
 * What the members of a room are to be told alike, in its order: messages, and who came or went. It is told as one broadcast.
 *
 * To tell many two things costs hardly more than to tell them one, since what costs is the writing. So in a room of many a message
 * waits a few milliseconds if the next one is on its way into the log already, and comings and goings wait for company in any case.
 */
import { createBroadcast } from '../protocol/broadcast.ts'
import type { Broadcast, HistoryMessage, MemberEvent } from '../protocol/frames.ts'

/** Members from which on it waits, and how long it does, ms: messages, and news alone. */
const MANY = 64
const MESSAGES_MS = 5
const NEWS_MS = 250

export interface News {
  readonly event: MemberEvent
  readonly id: string
  readonly name: string
}

export class Telling {
  readonly #room: string
  #items: (HistoryMessage | News)[] = []
  #messages = 0
  #since = 0

  constructor(room: string) {
    this.#room = room
  }

  get hasMessages(): boolean {
    return this.#messages > 0
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  message(message: HistoryMessage, now: number): void {
    this.#messages++
    this.#add(message, now)
  }

  news(news: News, now: number): void {
    this.#add(news, now)
  }

  /** Whether it may wait. `more`: a message is on its way into the log. */
  waits(members: number, more: boolean, now: number): boolean {
    if (members < MANY || (this.#messages > 0 && !more)) return false
    return now - this.#since < (this.#messages > 0 ? MESSAGES_MS : NEWS_MS)
  }

  /** All of it; null when there is nothing. */
  take(): Broadcast | null {
    const items = this.#items
    if (items.length === 0) return null
    this.#items = []
    this.#messages = 0
    return createBroadcast(frames => {
      for (const one of items) {
        if ('event' in one) frames.members(this.#room, one.event, one.id, one.name)
        else frames.room(this.#room, one.offset, one.from, one.outbox, one.n, one.time, one.body)
      }
    })
  }

  #add(item: HistoryMessage | News, now: number): void {
    if (this.#items.length === 0) this.#since = now
    this.#items.push(item)
  }
}
