/**
 * Where a message is, put together from what the API knows: the trace of the message, the place that it has in the mailbox of its
 * recipient, and, when its outbox or number is not known, the messages of that sender that wait for that recipient.
 */
import { Refusal, type Api, type Parked, type TracedMessage } from './api.ts'

/** What somebody asks for. `outbox` '' and `n` 0: not known. */
export interface Question {
  readonly from: string
  readonly to: string
  readonly outbox: string
  readonly n: number
}

export interface Whereabouts {
  /** What is known of the message that was asked for; null when only others can be offered. */
  readonly message: TracedMessage | null
  readonly question: Question
  /** Its entry in the mailbox, and how many stand before it; null when it is in none, or far behind. */
  readonly parked: { readonly entry: Parked; readonly before: number } | null
  /** Messages of this sender that wait for this recipient, the oldest first, when no number was given. */
  readonly others: readonly Parked[]
  /** There is more in the mailbox than was looked through. */
  readonly isCut: boolean
  /** Steps that this node remembers, of all messages together; 0: it notes none (ACKD_TRACE). */
  readonly remembered: number
}

const PAGE = 1_000
/** Pages of a mailbox that are looked through. */
const MAX_PAGES = 10
const MAX_OTHERS = 200

/** Rejects with `Refusal`. */
export async function find(api: Api, question: Question): Promise<Whereabouts> {
  const { from, to, n } = question
  const box = to.startsWith('#') ? { entries: [], isCut: false } : await mailboxOf(api, to)
  const mine = box.entries.filter(entry => entry.from === from)
  const nothing = { message: null, parked: null, others: [], isCut: box.isCut, remembered: 0 }
  if (n === 0) return { ...nothing, question, others: mine.slice(0, MAX_OTHERS) }
  const outbox =
    question.outbox || (mine.find(entry => entry.n === n) ?? mine[0])?.outbox || (await outboxOf(api, from))
  const known = { ...question, outbox }
  if (outbox === '') return { ...nothing, question: known }
  const path = `/api/trace/${[from, outbox, String(n)].map(encodeURIComponent).join('/')}?to=${encodeURIComponent(to)}`
  const { messages, remembered } = await api.ask<{ messages: readonly TracedMessage[]; remembered: number }>(path)
  const before = box.entries.findIndex(entry => entry.from === from && entry.outbox === outbox && entry.n === n)
  const entry = box.entries[before]
  return {
    message: messages[0] ?? null,
    question: known,
    parked: entry === undefined ? null : { entry, before },
    others: [],
    isCut: box.isCut,
    remembered,
  }
}

/** Nothing for who is not known: the trace may know of messages to them all the same. */
async function mailboxOf(
  api: Api,
  id: string,
): Promise<{ readonly entries: readonly Parked[]; readonly isCut: boolean }> {
  const entries: Parked[] = []
  let after = 0
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await orNull(api.mailbox(id, after, PAGE))
    if (page === null) break
    entries.push(...page.messages)
    if (page.next === null) return { entries, isCut: false }
    after = page.next
  }
  return { entries, isCut: entries.length > 0 }
}

/** That of a sender who is here now; '' when it is not known. */
async function outboxOf(api: Api, id: string): Promise<string> {
  return (await orNull(api.client(id)))?.connection?.outbox ?? ''
}

async function orNull<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return null
    throw error
  }
}

export interface Verdict {
  readonly title: string
  readonly text: string
  readonly tone: 'fine' | 'waits' | 'trouble' | 'unknown'
}

/** Where it is, in words that say what happens next. */
export function verdictOf({ message, question, parked, remembered }: Whereabouts): Verdict {
  const { to, n, outbox } = question
  if (outbox === '')
    return {
      title: 'Its outbox is not known',
      text: 'A number counts in one outbox of its sender. The sender is not connected here and has nothing parked for this recipient: give the outbox, which its receipts and its log name.',
      tone: 'unknown',
    }
  const isRoom = to.startsWith('#')
  switch (message?.state ?? 'unknown') {
    case 'held':
      return heldVerdict(message, to)
    case 'waiting':
      if (isRoom)
        return { title: `In the log of ${to}`, text: 'It is stored, and has its place in the log.', tone: 'fine' }
      if (parked === null)
        return {
          title: 'Stored in the mailbox',
          text: `It waits for ${to}, and is sent when its turn comes.`,
          tone: 'waits',
        }
      return {
        title:
          parked.before === 0
            ? 'Stored, next in line'
            : `Stored, number ${(parked.before + 1).toLocaleString()} in line`,
        text: `${beforeWords(parked.before)} It waits in the mailbox of ${to}, and is sent when they are here and its turn comes.`,
        tone: 'waits',
      }
    case 'delivered':
      return { title: 'Delivered', text: `${to} has acknowledged it.`, tone: 'fine' }
    case 'rejected':
      return { title: 'Rejected', text: `The program of ${to} refused it. The sender was told.`, tone: 'trouble' }
    case 'expired':
      return {
        title: 'Expired',
        text: 'It was not read in time, or was discarded. The sender was told.',
        tone: 'trouble',
      }
    case 'dead':
      return {
        title: 'Dead',
        text: `The program of ${to} failed at it again and again. The sender was told.`,
        tone: 'trouble',
      }
    case 'unknown':
      return { title: 'Never seen here, or forgotten', text: unknownWords(n, remembered), tone: 'unknown' }
  }
}

function unknownWords(n: number, remembered: number): string {
  const elsewhere =
    'Its sender has it still, or its number or outbox is another one; on several nodes, ask the one where its sender was.'
  if (remembered > 0) return `No step of message ${n} is remembered, and the store has not had it. ${elsewhere}`
  return `The store has not had message ${n}, and this server remembers no steps, so that what is on its way is not seen: start it with ACKD_TRACE set to 100000. ${elsewhere}`
}

function heldVerdict(message: TracedMessage | null, to: string): Verdict {
  const last = message?.steps.at(-1)
  if (last?.step === 'sent')
    return {
      title: 'Waiting for the ack',
      text: `It was sent to ${to}, who has not acknowledged it yet.`,
      tone: 'waits',
    }
  if (last?.step === 'parked')
    return {
      title: 'On its way into the mailbox',
      text: `${to} could not take it at once; the store is writing it.`,
      tone: 'waits',
    }
  return { title: 'In flight', text: `This node has it, and has not sent it to ${to} yet.`, tone: 'waits' }
}

function beforeWords(before: number): string {
  if (before === 0) return 'It is the next one.'
  return `${before.toLocaleString()} ${before === 1 ? 'message stands' : 'messages stand'} before it.`
}
