/**
 * The messages of one mailbox in LMDB, oldest first, in records of one or several.
 *
 * Who takes messages away takes them from the front, and may stop in the middle of a record. That is written down as the floor, with the record
 * of the box, and the messages below it are not read any more; their record goes when the last of it is taken. So a message that is taken is never
 * written again. Only what gets a void in its place is.
 */
import { putEntries, readEntries } from './bundle.ts'
import type { Table } from './environment.ts'
import type { KeptEntry, ParkedEntry } from './entries.ts'
import { boxRange, type BoxRecord, entryKey, Tag } from './records.ts'
import { addToRuns, type Run } from './runs.ts'

export function bodyBytes({ body }: ParkedEntry): number {
  return body === null ? 0 : body.end - body.start
}

export interface EntryPage {
  readonly entries: readonly KeptEntry[]
  readonly more: boolean
}

export class Journal {
  readonly #table: Table
  readonly #box: BoxRecord

  constructor(table: Table, box: BoxRecord) {
    this.#table = table
    this.#box = box
  }

  /** Adds messages, which are in order, behind all others. */
  add(entries: readonly ParkedEntry[]): void {
    putEntries(this.#box.number, entries, this.#table.put)
  }

  /** The entries after `after`, oldest first: at most `limit`, and at most `maxBytes` of bodies, but always one. */
  read(after: number, limit: number, maxBytes = Infinity): EntryPage {
    const from = Math.max(after, this.#box.floor)
    const entries: KeptEntry[] = []
    let bytes = 0
    for (const { key, value } of this.#recordsAfter(from)) {
      if (entries.length === limit) return { entries, more: true }
      for (const entry of readEntries(key, value, from, limit - entries.length + 1)) {
        bytes += bodyBytes(entry)
        if (entries.length === limit || (bytes > maxBytes && entries.length > 0)) return { entries, more: true }
        entries.push(entry)
      }
    }
    return { entries, more: false }
  }

  /** What is needed to take away the oldest entries, up to that place. */
  upTo(upTo: number): Run[] {
    const found: Run[] = []
    const { floor } = this.#box
    for (const { key, value } of this.#recordsAfter(floor)) {
      for (const entry of readEntries(key, value, floor)) {
        if (entry.s > upTo) return found
        addToRuns(found, entry)
      }
    }
    return found
  }

  /** Takes away the oldest entries, which are a run. */
  take({ s, under }: Run): void {
    this.#box.floor = s
    if (s === under) this.#table.remove(entryKey(this.#box.number, s))
  }

  /** Writes others in the places of some entries. */
  replace(entries: readonly KeptEntry[]): void {
    const others = new Map(entries.map(entry => [entry.s, entry]))
    for (const under of new Set(entries.map(entry => entry.under))) {
      const key = entryKey(this.#box.number, under)
      const value = this.#table.get(key)
      if (value === undefined) continue
      const kept = readEntries(key, value, this.#box.floor)
      this.#table.remove(key)
      this.add(kept.map(entry => others.get(entry.s) ?? entry))
    }
  }

  /** From the one that holds what follows that place. */
  #recordsAfter(place: number): Iterable<{ key: Uint8Array; value: Buffer }> {
    const { number } = this.#box
    return this.#table.range(entryKey(number, place + 1), boxRange(Tag.entry, number)[1])
  }
}
