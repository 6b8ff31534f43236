/** What the lines of a story about rooms mean. */
import type { Rooms } from '../../src/core/rooms.ts'
import { ACTOR, idOf, pipe, session, type Act, type Captured } from './speech.ts'
import { DURATION, toMs } from './units.ts'
import type { World } from './world.ts'

const ROOM = String.raw`(?<room>#\S+)`
const PASSWORD = String.raw`(?: with the password (?<password>\S+))?`

export const roomGivens: readonly (readonly [pattern: string, set: Act])[] = [
  ['(?<count>\\d+) rooms? for a connection', (world, of) => (world.options.roomsPerConnection = Number(of('count')))],
  ['rooms of (?<count>\\d+) messages?', (world, of) => (world.roomLimits.messages = Number(of('count')))],
  [`messages in rooms for (?<time>${DURATION})`, (world, of) => (world.roomLimits.lifeMs = toMs(of('time')))],
]

export const roomActs: readonly (readonly [pattern: string, act: Act])[] = [
  [`${ACTOR} creates ${ROOM}(?<private> privately)?${PASSWORD}(?: keeping (?<count>\\d+) messages?)?`, create],
  [
    `${ACTOR} joins ${ROOM}(?: since (?<since>\\d+)(?<other> in another epoch)?)?${PASSWORD}(?<epochs>, and hears of epochs)?`,
    join,
  ],
  [
    `${ACTOR} leaves ${ROOM}`,
    (world, of) => rooms(world, of).leave(session(world, of), `leaving ${of('room')}`, of('room')),
  ],
  [
    `${ACTOR} deletes ${ROOM}`,
    (world, of) => rooms(world, of).delete(session(world, of), `deleting ${of('room')}`, of('room')),
  ],
  [`${ACTOR} asks for (?:(?<limit>\\d+) of )?the rooms(?: after (?<after>#\\S+))?`, list],
  [`${ACTOR} asks (?:for (?<limit>\\d+) of those|who is) in ${ROOM}(?: after (?<after>\\w+))?`, members],
  [
    `${ACTOR} asks for (?:(?<limit>\\d+) messages? of )?the history of ${ROOM}(?: before (?<before>\\d+))?` +
      '(?: after (?<after>\\d+))?(?: from (?<from>\\w+))?',
    history,
  ],
  [`${ACTOR} reads nothing`, (world, of) => (pipe(world, of).unread = Infinity)],
  [`${ACTOR} reads again`, (world, of) => (pipe(world, of).unread = 0)],
]

function rooms(world: World, of: Captured): Rooms {
  return pipe(world, of).node.hub.rooms
}

function create(world: World, of: Captured): void {
  rooms(world, of).create(session(world, of), `creating ${of('room')}`, of('room'), {
    ...(of('private') !== '' && { private: true }),
    ...(of('password') !== '' && { password: of('password') }),
    ...(of('count') !== '' && { history: Number(of('count')) }),
  })
}

function join(world: World, of: Captured): void {
  const room = of('room')
  const epoch = of('other') === '' ? world.person(of('actor')).epochs.get(room) : 'of another log'
  rooms(world, of).join(session(world, of), room, room, {
    ...(of('since') !== '' && { since: Number(of('since')) }),
    ...(of('since') !== '' && epoch !== undefined && { epoch }),
    ...(of('password') !== '' && { password: of('password') }),
    ...(of('epochs') !== '' && { epochs: true }),
  })
}

function list(world: World, of: Captured): void {
  const after = of('after') === '' ? {} : { after: of('after') }
  rooms(world, of).list(session(world, of), 'the rooms', { ...limit(of), ...after })
}

function members(world: World, of: Captured): void {
  const after = of('after') === '' ? {} : { after: idOf(world, of('after')) }
  rooms(world, of).members(session(world, of), `who is in ${of('room')}`, of('room'), { ...limit(of), ...after })
}

function history(world: World, of: Captured): void {
  rooms(world, of).history(session(world, of), `the history of ${of('room')}`, of('room'), {
    ...limit(of),
    ...(of('before') !== '' && { before: Number(of('before')) }),
    ...(of('after') !== '' && { after: Number(of('after')) }),
    ...(of('from') !== '' && { from: idOf(world, of('from')) }),
  })
}

function limit(of: Captured): { limit?: number } {
  return of('limit') === '' ? {} : { limit: Number(of('limit')) }
}
