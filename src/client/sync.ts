/** How an outbox recognises the answers to its own questions, and what they must look like to be believed. */
import type { EndReason } from '../protocol/errors.ts'
import type { Ref, SyncReply } from '../protocol/frames.ts'

const PREFIX = 'sync '

/** The ref of a `sync` for a target; refs of other questions are numbers. */
export function syncRef(target: string): Ref {
  return PREFIX + target
}

/** The target that a ref asked for; null for the ref of something else. */
export function syncTarget(ref: Ref): string | null {
  return typeof ref === 'string' && ref.startsWith(PREFIX) ? ref.slice(PREFIX.length) : null
}

/** The answer to a `sync`; null when it is none. */
export function readSync(value: unknown): SyncReply | null {
  if (typeof value !== 'object' || value === null || !('last' in value) || !('delivered' in value)) return null
  const { last, delivered } = value
  if (!isCount(last) || !isCount(delivered)) return null
  const lost = 'lost' in value && Array.isArray(value.lost) ? value.lost.filter(isLoss) : []
  return { last, delivered, lost }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isLoss(value: unknown): value is readonly [n: number, reason: EndReason] {
  if (!Array.isArray(value)) return false
  const pair: readonly unknown[] = value
  const [n, reason] = pair
  return isCount(n) && (reason === 'rejected' || reason === 'expired' || reason === 'dead')
}
