/** The Redis that keeps everything, as a server would find it, and the clock of this machine beside its. */
import { lookAtRedis, type RedisLook } from '../store/redis/look.ts'
import { StoreError } from '../store/store.ts'
import { failureOf } from './failure.ts'
import { bad, good, warning, type Finding } from './finding.ts'
import { showDuration } from './quantities.ts'

/** Times of messages and of their ends are told by both clocks. */
const CLOCK_MS = 1_000

export async function checkRedis(url: string, caFile: string): Promise<readonly Finding[]> {
  try {
    const look = await lookAtRedis(url, caFile)
    return [reached(look), ...look.notes.map(noted), judgeClock(look.aheadMs)]
  } catch (error) {
    if (error instanceof StoreError) return [bad(error.message, error.fix)]
    throw error
  }
}

function reached({ address, info }: RedisLook): Finding {
  const version = info.get('redis_version') ?? 'of an unknown version'
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  const journal = info.get('aof_enabled') === '1' ? 'yes' : 'no'
  return good(`Redis ${version} at ${address} (maxmemory-policy ${policy}, appendonly ${journal})`)
}

function noted(note: string): Finding {
  const { message, fix } = failureOf('failed', note, 'See docs/durability.md.')
  return warning(`${message}.`, capital(fix))
}

export function judgeClock(aheadMs: number): Finding {
  const apart = showDuration(Math.abs(aheadMs))
  if (Math.abs(aheadMs) <= CLOCK_MS) return good(`the clock is within ${apart} of that of Redis`)
  const side = aheadMs > 0 ? 'ahead of' : 'behind'
  return warning(
    `The clock of this machine is ${apart} ${side} that of Redis.`,
    'Keep both right with a time service, such as chrony or systemd-timesyncd.',
  )
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
