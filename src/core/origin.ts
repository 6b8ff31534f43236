/** Whose messages a stream carries: its name, and the two names that make it up. All streams of one outbox share one origin. */
import { splitStream, streamName } from '../protocol/mailbox.ts'

export interface Origin {
  readonly stream: string
  readonly from: string
  readonly outbox: string
}

export function createOrigin(from: string, outbox: string): Origin {
  return { stream: streamName(from, outbox), from, outbox }
}

export function originOf(stream: string): Origin {
  const [from, outbox] = splitStream(stream)
  return { stream, from, outbox }
}
