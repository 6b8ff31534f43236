/** Operations on rooms: which there are, private ones too, who is in one, and to delete one. */
import { z } from 'zod'
import type { Present } from '../../protocol/rolls.ts'
import type { RoomRecord } from '../../protocol/rooms.ts'
import { ROLL_NAMES } from '../../store/neighbours.ts'
import type { Store } from '../../store/store.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { limitOf, next, pageQuery, roomInPath, time } from './shapes.ts'
import { asked } from './asking.ts'
import type { Gateway } from '../gateway.ts'

const room = z.object({
  room: z.string(),
  owner: z.string().describe('The client who made it; empty for a room of the server'),
  private: z.boolean().describe('It is not listed to clients'),
  locked: z.boolean().describe('It wants a password'),
  history: z.int().describe('Messages that its log keeps, at most'),
  first: z.int().describe('The offset of the oldest message that is kept; one more than `last` when none is'),
  last: z.int().describe('The highest offset given out; 0 before the first message'),
  epoch: z.string().describe('The name of this very log'),
  created: time.describe('When it was made, in ms since the Unix epoch'),
})

const member = z.object({
  id: z.string(),
  name: z.string().describe('What others see'),
  node: z
    .string()
    .nullable()
    .describe(
      'The node that its client is connected to; null: to none, so that it is about to come back or to be taken off',
    ),
})

const params = z.strictObject({ room: roomInPath })

/** `deleted` is told of a room that is no more. */
export function roomRoutes(gateway: Gateway, store: Store, deleted: (room: string) => void): readonly Route[] {
  return [listRooms(store), getRoom(gateway, store), listMembers(gateway, store), deleteRoom(gateway, store, deleted)]
}

function listRooms(store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/rooms',
    name: 'listRooms',
    text: 'Lists all rooms by name, private ones too.',
    query: z.strictObject(pageQuery),
    answers: { 200: { text: 'A page of rooms.', schema: z.object({ rooms: z.array(room), next }) } },
    errors: ['unavailable'],
    async answer({ query }) {
      const limit = limitOf(query.limit)
      const records = await asked(store.rooms.list(query.after ?? '', limit, true))
      const more = records.length === limit
      return { status: 200, value: { rooms: records.map(shown), next: more ? (records.at(-1)?.room ?? null) : null } }
    },
  })
}

function getRoom({ hub }: Gateway, store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/rooms/:room',
    name: 'getRoom',
    text: 'Tells what is known of a room, and how many are in it, on all nodes.',
    params,
    answers: { 200: { text: 'The room.', schema: room.extend({ members: z.int() }) } },
    errors: ['no_such_room', 'unavailable'],
    async answer({ params }) {
      const record = await known(store, params.room)
      return {
        status: 200,
        value: { ...shown(record), members: hub.rooms.company(params.room)?.count ?? record.members ?? 0 },
      }
    },
  })
}

function listMembers({ hub }: Gateway, store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/rooms/:room/members',
    name: 'listMembers',
    text: `Lists who is in a room, on all nodes, by id, and where each is connected. Of a room over several nodes at most ${ROLL_NAMES} members are on the roll.`,
    params,
    query: z.strictObject(pageQuery),
    answers: { 200: { text: 'A page of members.', schema: z.object({ members: z.array(member), next }) } },
    errors: ['no_such_room', 'unavailable'],
    async answer({ params, query }) {
      const limit = limitOf(query.limit)
      await known(store, params.room)
      const present = await presentIn(hub, store, params.room, query.after ?? '', limit)
      const members = await Promise.all(
        present.map(async ({ id, name }) => ({ id, name, node: (await asked(store.client(id)))?.node ?? null })),
      )
      const more = members.length === limit
      return { status: 200, value: { members, next: more ? (members.at(-1)?.id ?? null) : null } }
    },
  })
}

async function presentIn(
  { rooms }: Gateway['hub'],
  { neighbours }: Store,
  room: string,
  after: string,
  limit: number,
): Promise<readonly Present[]> {
  const company = rooms.company(room)
  if (company === null && neighbours !== null) return asked(neighbours.roll(room, after, limit))
  return company?.list(after, limit).map(([id, name]) => ({ id, name })) ?? []
}

function deleteRoom({ hub, turn }: Gateway, store: Store, deleted: (room: string) => void): Route {
  return route({
    ...forAdmins,
    method: 'DELETE',
    path: '/api/rooms/:room',
    name: 'deleteRoom',
    text: 'Deletes a room with its log, for good. Those who are in it are told.',
    params,
    answers: { 204: { text: 'It is deleted.', schema: null } },
    errors: ['no_such_room', 'unavailable'],
    async answer({ params }) {
      const { epoch } = await known(store, params.room)
      const done = await asked(store.rooms.delete(params.room, epoch))
      turn.begin()
      hub.rooms.woken(params.room)
      if (!done) throw new ApiError('no_such_room')
      deleted(params.room)
      return { status: 204 }
    },
  })
}

async function known(store: Store, name: string): Promise<RoomRecord> {
  const record = await asked(store.rooms.find(name))
  if (record === null) throw new ApiError('no_such_room', `There is no room ${name}; check its name.`)
  return record
}

function shown({ password, messages, room: name, ...rest }: RoomRecord): z.output<typeof room> {
  const { owner, first, last, epoch, created } = rest
  return {
    room: name,
    owner,
    private: rest.private,
    locked: password !== '',
    history: messages,
    first,
    last,
    epoch,
    created,
  }
}
