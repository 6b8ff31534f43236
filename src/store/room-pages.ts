/**
 * A page of a log by steps, where looking through a long log at once would keep everybody else waiting.
 *
 * A step stops after so many messages, whether or not they were wanted, and says from where to go on. Logs only grow at their end, so what
 * the steps find fits together, unless the end of the log was lost between two of them: then it is started over.
 */
import type { RoomEntry, RoomLog, RoomPage, RoomQuery } from '../protocol/rooms.ts'

export interface PageStep {
  readonly log: RoomLog
  /** In the direction of the query: newest first, if it goes back. At least one of those that follow each other, whatever its size. */
  readonly found: readonly RoomEntry[]
  /** The offset of the last message that was looked at when the step stopped early; 0 when there is nothing left to look for. */
  readonly stopped: number
}

/** Null: there is no such room. */
export async function pageInSteps(
  query: RoomQuery,
  step: (query: RoomQuery) => Promise<PageStep | null>,
): Promise<RoomPage | null> {
  const forward = query.after !== undefined
  let entries: RoomEntry[] = []
  let rest = query
  for (let epoch: string | null = null; ;) {
    const made = await step(rest)
    if (made === null) return null
    const { log, found, stopped } = made
    if (epoch !== null && epoch !== log.epoch) {
      entries = []
      rest = query
      epoch = null
      continue
    }
    epoch = log.epoch
    let { limit, maxBytes } = rest
    for (const entry of found) {
      maxBytes -= entry.body.end - entry.body.start
      // A step always finds one, but not every step may add one.
      if (maxBytes < 0 && entries.length > 0) break
      entries.push(entry)
      limit--
    }
    if (stopped === 0 || limit <= 0 || maxBytes < 0) {
      return { ...log, entries: forward ? entries : entries.reverse() }
    }
    rest = { ...rest, limit, maxBytes, ...(forward ? { after: stopped } : { before: stopped }) }
  }
}
