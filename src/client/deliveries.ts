/**
 * Brings what the inbox shows to the application's handler, and tries again when that fails (§6.3).
 *
 * The pauses stay well below the 30 s after which a server takes an un-acked recipient for lost. When they are used up the message
 * is refused, with the reason of the last failure, so that one bad message does not hold up all that follow.
 */
import { MAX_REASON } from '../protocol/limits.ts'
import { MessageFlag } from '../protocol/frames.ts'
import { decodeBinaryBody } from '../protocol/values.ts'
import type { Incoming } from './inbox.ts'

/** A message as the application sees it. */
export interface Message<Payload = unknown> {
  readonly from: string
  readonly body: Payload
  /** ms since the epoch, the server's clock: when it was accepted. */
  readonly time: number
  /** The sender's outbox, and the number of the message in the stream from there to here. */
  readonly outbox: string
  readonly n: number
  /** It waited in the mailbox. */
  readonly parked: boolean
  /** It may have been sent before, though not shown. */
  readonly repeated: boolean
}

/** The message is acked when the promise has resolved, and not before. */
export type MessageHandler<Payload> = (message: Message<Payload>) => Promise<void> | void

/** ms between one failure of a handler and the next try. */
export const defaultPausesMs: readonly number[] = [250, 1_000, 4_000]

export interface DeliveryEvents {
  handled(): void
  refused(reason: string): void
  /** The handler failed; `last`: it is not tried again. */
  failed(error: unknown, message: Message, last: boolean): void
}

export async function deliver<Payload>(
  incoming: Incoming,
  handler: MessageHandler<Payload>,
  pausesMs: readonly number[],
  events: DeliveryEvents,
): Promise<void> {
  const message = toMessage<Payload>(incoming)
  const failure = await handle(
    () => handler(message),
    pausesMs,
    (error, last) => events.failed(error, message, last),
  )
  if (failure === null) events.handled()
  else events.refused(reasonOf(failure.error).slice(0, MAX_REASON))
}

/** Runs a handler until it succeeds, with these pauses between the tries. The last failure when they are used up, else null. */
export async function handle(
  run: () => Promise<void> | void,
  pausesMs: readonly number[],
  failed: (error: unknown, last: boolean) => void,
): Promise<{ readonly error: unknown } | null> {
  for (let failures = 0; ; failures++) {
    try {
      await run()
      return null
    } catch (error) {
      const pauseMs = pausesMs[failures]
      failed(error, pauseMs === undefined)
      if (pauseMs === undefined) return { error }
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

function toMessage<Payload>({ from, outbox, n, time, flags, body }: Incoming): Message<Payload> {
  return {
    from,
    // What it is, is a matter between the applications; the type that this one named is believed here, once.
    body: (body && decodeBinaryBody(body)) as Payload,
    time,
    outbox,
    n,
    parked: (flags & MessageFlag.parked) !== 0,
    repeated: (flags & MessageFlag.repeated) !== 0,
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
