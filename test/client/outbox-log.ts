/** An outbox that writes down, line by line, what it says to its server and to its client. */
import { Outbox } from '../../src/client/outbox.ts'
import type { OutboxOptions } from '../../src/client/outgoing.ts'

export const terms = { sendWindow: { messages: 3, bytes: 100 }, ackTimeout: 30_000 }
const log: string[] = []

/** One with an empty log. Its names are outbox-1, outbox-2 and so on. */
export function create(options: Partial<OutboxOptions> = {}): Outbox {
  let names = 0
  log.length = 0
  return new Outbox(
    {
      settled: ({ id }, outcome) => log.push(`${id} ${outcome.kind}`),
      changed: () => {},
      reconnect: reason => log.push(`reconnect: ${reason}`),
    },
    { newName: () => `outbox-${++names}`, ...options },
  )
}

export const frames = {
  send: (n: number, floor: number, target: string, ttl: number) => {
    log.push(`send ${target} ${n} from ${floor}${ttl > 0 ? ` for ${ttl} s` : ''}`)
  },
  sync: (_: unknown, target: string) => log.push(`sync ${target}`),
}

/** What was written down since it was asked for last. */
export function events(): string[] {
  return log.splice(0)
}
