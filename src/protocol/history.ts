/** How much of a page of a room's log goes into one reply: bodies grow on their way into the other encoding, by how much is known only then. */
import type { Body, HistoryMessage, HistoryPage, Ref } from './frames.ts'

/** More than anything in a reply takes, the ref and the messages apart; and of a message, its names and its body apart. */
const REPLY_ROOM = 256
const MESSAGE_ROOM = 80

/** The messages that go out, with their bodies in the encoding of the reply, into which `inEncoding` brings them. */
export function fitting(
  { messages }: HistoryPage,
  ref: Ref,
  inEncoding: (body: Body) => Body,
  maxBytes: number,
  newest: boolean,
): HistoryMessage[] {
  const taken: HistoryMessage[] = []
  let left = maxBytes - REPLY_ROOM - 6 * String(ref).length
  for (let i = 0; i < messages.length; i++) {
    const message = messages[newest ? messages.length - 1 - i : i] as HistoryMessage
    const body = inEncoding(message.body)
    left -= MESSAGE_ROOM + message.from.length + message.outbox.length + sizeOf(body)
    if (left < 0 && taken.length > 0) break
    taken.push({ ...message, body })
  }
  return newest ? taken.reverse() : taken
}

function sizeOf({ start, end }: Body): number {
  return end - start
}
