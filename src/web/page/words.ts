/**
 * What the page says: states, ticks and errors in words that say what to do. Times are those of the reader's own language.
 */
import type { Status } from '../../client/connector.ts'
import type { Tick } from './conversation.ts'
import type { CatchUp } from './state.ts'

/** The state of the connection, without what changes every second. */
export function statusWords(status: Status, isCut: boolean): string {
  if (isCut) return 'You cut the network.'
  switch (status.state) {
    case 'connected':
      return 'Connected'
    case 'connecting':
      return 'Connecting…'
    case 'waiting':
      return waitingWords(status.reason)
    case 'closed':
      return status.reason === 'replaced' ? 'Open in another tab.' : closedWords(status.reason, status.error.message)
  }
}

function waitingWords(reason: string): string {
  if (reason === 'overloaded') return 'The server is busy.'
  if (reason === 'restart') return 'The server is starting anew.'
  return reason === 'unavailable' ? 'The server cannot reach its store.' : 'Not connected.'
}

function closedWords(reason: string, text: string): string {
  if (reason === 'unauthorized')
    return 'This server lets in only programs with a token, and this page has none. Ask who runs it.'
  if (reason === 'bad_secret')
    return 'The address that this browser keeps is not accepted any more. Clear the data of this site to get a new one.'
  if (reason === 'flood')
    return 'The server has sent this page away for asking too much. Wait a minute, then connect again.'
  return text
}

/** What becomes of what is written meanwhile; '' while there is nothing to say about it. */
export function meanwhileWords(status: Status, isCut: boolean): string {
  return isCut || status.state === 'waiting' ? 'What you write waits here.' : ''
}

/** When the next attempt to connect is; null when there is nothing to wait for. */
export function countdownWords(status: Status, isCut: boolean, now: number): string | null {
  if (isCut || status.state !== 'waiting') return null
  const seconds = Math.ceil((status.retryAt - now) / 1_000)
  return seconds > 0 ? `Next attempt in ${seconds} s` : 'Trying…'
}

/** A tick for those who cannot see it. `isConnected`: what waits is on its way. */
export function tickWords(tick: Tick, isConnected: boolean): string {
  switch (tick) {
    case 'waiting':
      return isConnected ? 'Sent' : 'Waits for a connection'
    case 'stored':
      return 'Stored on the server'
    case 'delivered':
      return 'Delivered'
    case 'failed':
      return 'Not sent'
  }
}

export function catchUpWords({ left, total }: CatchUp): string {
  if (left > 0) return `${count(left, 'missed message')}…`
  return `${count(total, 'missed message')} ${total === 1 ? 'has' : 'have'} come`
}

export function typingWords(names: readonly string[]): string {
  const [first, second] = names
  if (first === undefined) return ''
  if (second === undefined) return `${first} is typing…`
  return names.length === 2 ? `${first} and ${second} are typing…` : 'Several people are typing…'
}

/** How a message ended that does not arrive, by the code of the error or the kind of the receipt. */
export function endingWords(code: string): string {
  switch (code) {
    case 'unknown_recipient':
      return 'There is nobody at this address. Check it with whoever gave it to you.'
    case 'mailbox_full':
      return 'Their mailbox is full. Send it again when they have been here.'
    case 'outbox_full':
      return 'Too many messages wait here. Send it again when some of them have gone.'
    case 'too_large':
      return 'It is too long for this server. Send it in parts.'
    case 'no_such_room':
      return 'This room does not exist any more.'
    case 'not_joined':
      return 'You were not in the room. Enter it, and send it again.'
    case 'forbidden':
      return 'The server does not allow you to write here.'
    case 'rejected':
      return 'Their program refused it.'
    case 'expired':
      return 'It was not read in time. Send it again if it still matters.'
    case 'dead':
      return 'Their program failed at it again and again.'
    case 'not_kept':
      return 'This browser has no room to keep it. Free some, and send it again.'
    default:
      return 'It was not taken. Send it again.'
  }
}

/** Why a room was not entered or made. */
export function roomTroubleWords(code: string, text: string): string {
  switch (code) {
    case 'no_such_room':
      return 'There is no such room. Check the name, or create it.'
    case 'room_exists':
      return 'There is a room of this name already. Join it, or take another name.'
    case 'bad_password':
      return 'The password is missing or wrong.'
    case 'forbidden':
      return 'The server does not let you in here.'
    case 'not_connected':
      return 'There is no connection now. Try again when there is.'
    default:
      return text
  }
}

export function peopleWords(n: number): string {
  return `${n.toLocaleString()} ${n === 1 ? 'person' : 'people'}`
}

export function count(n: number, what: string): string {
  return `${n.toLocaleString()} ${what}${n === 1 ? '' : 's'}`
}

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' })
const date = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
const DAY_MS = 86_400_000

export function clockWords(time: number): string {
  return clock.format(time)
}

export function dayWords(time: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(time)) / DAY_MS)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return days > 1 && days < 7 ? weekday.format(time) : date.format(time)
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0)
}
