/** Who has sent how much of what is parked. */
import type { Parked } from './api.ts'

export interface Sender {
  readonly from: string
  readonly count: number
  readonly bytes: number
}

/** By bytes, the most first. */
export function sendersOf(messages: readonly Parked[]): readonly Sender[] {
  const senders = new Map<string, Sender>()
  for (const { from, bytes } of messages) {
    const known = senders.get(from)
    senders.set(from, { from, count: (known?.count ?? 0) + 1, bytes: (known?.bytes ?? 0) + bytes })
  }
  return [...senders.values()].sort((a, b) => b.bytes - a.bytes || (a.from < b.from ? -1 : 1))
}
