/** What the members of a room are told alike: messages, and who came or went; in their order, as one broadcast. */
import { createBroadcast } from '../protocol/broadcast.ts'
import type { Broadcast, HistoryMessage, MemberEvent } from '../protocol/frames.ts'

export interface News {
  readonly event: MemberEvent
  readonly id: string
  readonly name: string
}

export function broadcastOf(room: string, said: readonly (HistoryMessage | News)[]): Broadcast {
  return createBroadcast(frames => {
    for (const one of said) {
      if ('event' in one) frames.members(room, one.event, one.id, one.name)
      else frames.room(room, one.offset, one.from, one.outbox, one.n, one.time, one.body)
    }
  })
}
