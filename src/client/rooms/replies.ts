/** What a server answers to questions about rooms, and what the answers must look like to be believed. */
import { AckdError } from '../errors.ts'
import type { RoomMessage } from './feed.ts'

export interface JoinReply {
  /** The last offset of the log. */
  readonly offset: number
  readonly epoch: string
  /** Whether all that came after `since` was sent again. */
  readonly recovered: boolean
  /** How many are in the room. */
  readonly members: number
}

export interface Member {
  readonly id: string
  /** '' for who has none. */
  readonly name: string
}

/** The answer to a join, or, where nothing says how many are there, what comes before it: what is told now is of that epoch. */
export type JoinAnswer = JoinReply | (Omit<JoinReply, 'members'> & { readonly members: null })

/** A page of a list; `next` goes into the `after` of the next question, null at the end. */
export interface MemberPage {
  readonly members: readonly Member[]
  readonly next: string | null
}

export interface RoomInfo {
  readonly room: string
  readonly members: number
  /** Whether it wants a password. */
  readonly locked: boolean
}

export interface RoomList {
  readonly rooms: readonly RoomInfo[]
  readonly next: string | null
}

/** A page of the log of a room, oldest first. */
export interface HistoryReply<Payload = unknown> {
  readonly messages: readonly RoomMessage<Payload>[]
  readonly epoch: string
}

export function readJoin(value: unknown): JoinAnswer {
  const { offset, epoch, recovered, members } = fieldsOf(value)
  if (!isCount(offset) || typeof epoch !== 'string') throw strange('join')
  return { offset, epoch, recovered: recovered === true, members: isCount(members) ? members : null }
}

export function readMembers(value: unknown): MemberPage {
  const { members, next } = fieldsOf(value)
  return {
    members: listOf(members, 'members').map(member => {
      const [id, name] = listOf(member, 'members')
      if (typeof id !== 'string') throw strange('members')
      return { id, name: typeof name === 'string' ? name : '' }
    }),
    next: textOrNull(next),
  }
}

export function readRooms(value: unknown): RoomList {
  const { rooms, next } = fieldsOf(value)
  return {
    rooms: listOf(rooms, 'rooms').map(one => {
      const { room, members, locked } = fieldsOf(one)
      if (typeof room !== 'string') throw strange('rooms')
      return { room, members: isCount(members) ? members : 0, locked: locked === true }
    }),
    next: textOrNull(next),
  }
}

export function readHistory(room: string, value: unknown): HistoryReply {
  const { messages, epoch } = fieldsOf(value)
  if (typeof epoch !== 'string') throw strange('history')
  return { messages: listOf(messages, 'history').map(message => readMessage(room, message)), epoch }
}

function readMessage(room: string, value: unknown): RoomMessage {
  const [offset, from, outbox, n, time, body] = listOf(value, 'history')
  if (!isCount(offset) || !isCount(n) || !isCount(time)) throw strange('history')
  if (typeof from !== 'string' || typeof outbox !== 'string') throw strange('history')
  return { room, offset, from, outbox, n, time, body }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw strange('a question about rooms')
  // Any object can be asked for any field.
  return value as Readonly<Record<string, unknown>>
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw strange(what)
  return value
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function strange(what: string): AckdError {
  return new AckdError('internal', `the server answered ${what} with something else`)
}
