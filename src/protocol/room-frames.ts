/**
 * Reads what a client says about rooms, §3. All of these frames have a ref, so whatever is wrong with a name is answered by an error;
 * an option of a wrong type is a bad frame.
 */
import { isInteger, isMap, isRef } from './dialect.ts'
import type { ClientFrames, Ref } from './frames.ts'

/** The place of the option map in a frame about rooms; 0 for none. */
export function roomOptionsAt(op: string): number {
  switch (op) {
    case 'rooms':
      return 2
    case 'join':
    case 'create':
    case 'members':
    case 'history':
      return 3
    default:
      return 0
  }
}

/** What an option may be. */
const types = {
  boolean: (value: unknown) => typeof value === 'boolean',
  string: (value: unknown) => typeof value === 'string',
  offset: (value: unknown) => isInteger(value, 0),
  count: (value: unknown) => isInteger(value, 1),
} as const

type Types = Readonly<Record<string, keyof typeof types>>

interface TypeOf {
  readonly boolean: boolean
  readonly string: string
  readonly offset: number
  readonly count: number
}

type Options<T extends Types> = { readonly [K in keyof T]?: TypeOf[T[K]] }

const joinTypes = { since: 'offset', epoch: 'string', password: 'string', epochs: 'boolean' } as const
const createTypes = { private: 'boolean', password: 'string', history: 'count' } as const
const listTypes = { limit: 'count', after: 'string' } as const
const historyTypes = { before: 'count', after: 'offset', limit: 'count', from: 'string' } as const

/** Reads one of these frames: null, or why it is a bad frame; undefined for a frame of another op. */
export function readRoomFrame(frames: ClientFrames, op: string, header: readonly unknown[]): string | null | undefined {
  const [, ref] = header
  switch (op) {
    case 'rooms':
      return withOptions(op, ref, header[2], listTypes, (r, options) => frames.rooms(r, options))
    case 'join':
    case 'leave':
    case 'create':
    case 'delete':
    case 'members':
    case 'history':
      return aboutRoom(frames, op, header)
    default:
      return undefined
  }
}

function aboutRoom(
  frames: ClientFrames,
  op: 'join' | 'leave' | 'create' | 'delete' | 'members' | 'history',
  [, ref, named, given]: readonly unknown[],
): string | null {
  if (named === undefined) return `${op} needs a ref, an integer or a string, and a room`
  const room = typeof named === 'string' ? named : ''
  switch (op) {
    case 'join':
      return withOptions(op, ref, given, joinTypes, (r, options) => frames.join(r, room, options))
    case 'create':
      return withOptions(op, ref, given, createTypes, (r, options) => frames.create(r, room, options))
    case 'members':
      return withOptions(op, ref, given, listTypes, (r, options) => frames.members(r, room, options))
    case 'history':
      return withOptions(op, ref, given, historyTypes, (r, options) => frames.history(r, room, options))
    case 'leave':
      return withOptions(op, ref, null, {}, r => frames.leave(r, room))
    case 'delete':
      return withOptions(op, ref, null, {}, r => frames.delete(r, room))
  }
}

/** Checks ref and options, nil or none of which are allowed, and says the frame. */
function withOptions<T extends Types>(
  op: string,
  ref: unknown,
  given: unknown,
  known: T,
  say: (ref: Ref, options: Options<T>) => void,
): string | null {
  if (!isRef(ref)) return `${op} needs a ref, an integer or a string`
  const map = given ?? {}
  if (!isMap(map)) return `${op} takes its options as a map, or nil`
  const options: Record<string, unknown> = {}
  for (const [key, type] of Object.entries(known)) {
    const value = map[key]
    if (value === undefined || value === null) continue
    if (!types[type](value)) return `${op} takes ${listed(known)}`
    options[key] = value
  }
  // Each value was found to be of the type that `known` names.
  say(ref, options as Options<T>)
  return null
}

const names = { boolean: 'true or false', string: 'a string', offset: 'an integer from 0', count: 'an integer from 1' }

/** `since: an integer from 0, epoch: a string` */
function listed(known: Types): string {
  return Object.entries(known)
    .map(([key, type]) => `${key}: ${names[type]}`)
    .join(', ')
}
