/**
 * What Redis does: each operation on one client or room is one Lua script, hence atomic, and each can be made again.
 *
 * A script is put together from the parts it needs, with the limits of the store written into it: fewer arguments to send, and
 * Redis keeps the compiled script by its digest. All of them run on Redis 6.2, 7, 8 and Valkey, so they use no function
 * library. `KEYS` are those of `keys.ts`; `ARGV[1]` is the time in ms, or '' for the clock of Redis, or `<` and a time by the clock of
 * Redis until which the call may still be done: a call that was given up may be on its way all the same, and must not take
 * effect after what was decided without it.
 *
 * Two traps are avoided throughout. Numbers of Lua are doubles, exact below 2^53, but `../..` and `tostring` write them with 14 digits:
 * they are handed to `redis.call` as they are, which writes 17, or packed. And out of memory Redis refuses a script at its first
 * write that may need some: what gives memory back therefore deletes first.
 *
 * Whatever is a verdict is refused by a replica (`insist`), even if it writes nothing: a server that was made one under a standing connection goes on
 * to run scripts until they write, on data that may be of another history, or none at all.
 */
import { createHash } from 'node:crypto'

import {
  addAccount,
  changeAccount,
  findAccount,
  forgetRevocations,
  listRevocations,
  removeAccount,
  revoke,
  sweepRevocations,
} from './scripts-accounts.ts'
import {
  clientRecord,
  deadLetters,
  discard,
  enqueue,
  page,
  remove,
  sweep,
  sync,
  touch,
  view,
} from './scripts-mailbox.ts'
import { parts } from './scripts-parts.ts'
import { bind, rotate, signal, unbind } from './scripts-owners.ts'
import {
  appendPosts,
  claimRoom,
  createRoom,
  deleteRoom,
  pagePosts,
  roomParts,
  roomRecord,
  sweepRoom,
  takenPosts,
} from './scripts-rooms.ts'
import { readRoll, report, signalRoom } from './scripts-rolls.ts'
import { ROLL_NAMES } from '../neighbours.ts'
import { ENDED_EPOCHS } from '../room-store.ts'
import type { StoreLimits } from '../store.ts'

export interface Script {
  readonly source: string
  readonly sha: string
}

export type ScriptName = keyof (ReturnType<typeof mailboxSources> &
  ReturnType<typeof roomSources> &
  ReturnType<typeof accountSources>)
export type Scripts = Readonly<Record<ScriptName, Script>>

/**
 * Extends the lease of the process `ARGV[2]` to `ARGV[3]` ms from now, 0 ends it, and answers who lives. When nobody has given a sign of
 * life for `ARGV[4]` ms, Redis was away from all, or its clock went on: then each gets its time anew. When its clock went back, no
 * lease lasts longer than it should.
 */
const lease = `
local own, life, gap = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('ZREM', KEYS[1], own)
if life > 0 then
  local from = newest and tonumber(newest) < now + life - gap and '-inf' or now + life
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf')) do
    redis.call('ZADD', KEYS[1], now + life, one)
  end
  redis.call('ZADD', KEYS[1], now + life, own)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGE', KEYS[1], 0, -1)
`

/** Gives a taken id back to its shard, to be due at `ARGV[2]`; 0: there is no such client any more. Out of memory too. */
const giveBack = `
redis.call('ZREM', KEYS[2], ARGV[3])
if ARGV[2] == '0' then redis.call('ZREM', KEYS[3], ARGV[3])
else redis.call('ZADD', KEYS[1], 'LT', ARGV[2], ARGV[3]) end
return 0
`

/** Takes up to `ARGV[2]` due ids out of a shard, and leaves them among those taken for `ARGV[3]` ms, in case the taker dies. */
const take = `
local limit = tonumber(ARGV[2])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, limit)) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZADD', KEYS[1], 'LT', now, id)
end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, limit)
for _, id in ipairs(ids) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), id)
end
return ids
`

/** What holds under a name: `ARGV[2]` from now on for `ARGV[3]` ms, if nothing did. The time is kept too, for a clock of one's own. */
const once = `
local kept = redis.call('GET', KEYS[1])
if kept then
  local space = string.find(kept, ' ', 1, true)
  if tonumber(string.sub(kept, 1, space - 1)) > now then
    -- Reads what was read, but counts as a write, for which a replica refuses it.
    redis.call('GETEX', KEYS[1])
    return string.sub(kept, space + 1)
  end
end
local life = tonumber(ARGV[3])
redis.call('SET', KEYS[1], string.format('%.0f', now + life) .. ' ' .. ARGV[2], 'PX', life)
return ARGV[2]
`

/** Ms, and µs for the places in a mailbox. */
const clock = `
local now, us
local bound = string.match(ARGV[1], '^<(.*)')
if ARGV[1] ~= '' and not bound then
  now = tonumber(ARGV[1])
  us = now * 1000
else
  local time = redis.call('TIME')
  us = tonumber(time[1]) * 1000000 + tonumber(time[2])
  now = math.floor(us / 1000)
  if bound and now > tonumber(bound) then return redis.error_reply('LATE it was given up before it came') end
end
`

function constants(limits: StoreLimits): string {
  return `
local MESSAGES, BYTES = ${limits.mailboxMessages}, ${limits.mailboxBytes}
local MESSAGE_LIFE, ID_LIFE = ${limits.messageLifeMs}, ${limits.idLifeMs}
local STREAMS, LOST = ${limits.streams}, ${limits.lost}
local HEAD_ATTEMPTS, DEAD, DEAD_LIFE = ${limits.headAttempts}, ${limits.deadLetters}, ${limits.deadLifeMs}
local REPLACEMENTS, MINUTE = ${limits.replacementsPerMinute}, 60000
local NEVER = 9007199254740991
`
}

function roomConstants({ rooms }: StoreLimits): string {
  return `
local ROOM_MESSAGES, ROOM_LIFE = ${rooms.messages}, ${rooms.lifeMs}
local STREAMS, ENDED, ROLL_NAMES = ${rooms.streams}, ${ENDED_EPOCHS}, ${ROLL_NAMES}
local NEVER = 9007199254740991
`
}

function mailboxSources(limits: StoreLimits) {
  const given = constants(limits) + clock
  const { entry, state, holder, fenced, release, insist, sooner, first, streams, deliver, lose, expire } = parts
  const session = state + holder + fenced + insist
  const losing = streams + lose + parts.void
  return {
    bind: given + state + holder + insist + bind,
    unbind: given + entry + session + release + sooner + losing + unbind,
    enqueue: given + state + holder + insist + sooner + streams + enqueue,
    page: given + entry + session + first + losing + expire + page,
    remove: given + entry + session + streams + deliver + lose + remove,
    rotate: given + session + rotate,
    sync: given + state + insist + sync,
    touch: given + state + touch,
    sweep: given + entry + state + holder + release + insist + losing + expire + sweep,
    client: given + state + holder + clientRecord,
    view: given + state + first + view,
    deadLetters: given + state + deadLetters,
    lease: clock + lease,
    take: clock + take,
    giveBack: clock + giveBack,
    discard: given + entry + state + insist + losing + expire + discard,
    signal: clock + signal,
    once: clock + once,
  }
}

function roomSources(limits: StoreLimits) {
  const given = roomConstants(limits) + clock
  const { same, uses, begin, retain } = roomParts
  const { insist, streams } = parts
  return {
    createRoom: given + insist + createRoom,
    deleteRoom: given + insist + same + deleteRoom,
    room: given + insist + begin + roomRecord,
    appendPosts: given + uses + insist + streams + same + begin + retain + appendPosts,
    pagePosts: given + insist + begin + pagePosts,
    takenPosts: clock + insist + takenPosts,
    sweepRoom: given + insist + retain + sweepRoom,
    report: given + insist + same + report,
    readRoll,
    signalRoom,
    claimRoom: clock + claimRoom,
  }
}

function accountSources() {
  const { insist } = parts
  return {
    findAccount: clock + insist + findAccount,
    addAccount: clock + insist + addAccount,
    changeAccount: clock + insist + changeAccount,
    removeAccount: clock + removeAccount,
    revoke: clock + forgetRevocations + revoke,
    listRevocations,
    sweepRevocations: clock + forgetRevocations + sweepRevocations,
  }
}

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

export function createScripts(limits: StoreLimits): Scripts {
  const mailbox = mailboxSources(limits)
  const room = roomSources(limits)
  const account = accountSources()
  return {
    bind: script(mailbox.bind),
    unbind: script(mailbox.unbind),
    enqueue: script(mailbox.enqueue),
    page: script(mailbox.page),
    remove: script(mailbox.remove),
    rotate: script(mailbox.rotate),
    sync: script(mailbox.sync),
    touch: script(mailbox.touch),
    sweep: script(mailbox.sweep),
    client: script(mailbox.client),
    view: script(mailbox.view),
    deadLetters: script(mailbox.deadLetters),
    lease: script(mailbox.lease),
    take: script(mailbox.take),
    giveBack: script(mailbox.giveBack),
    discard: script(mailbox.discard),
    signal: script(mailbox.signal),
    once: script(mailbox.once),
    createRoom: script(room.createRoom),
    deleteRoom: script(room.deleteRoom),
    room: script(room.room),
    appendPosts: script(room.appendPosts),
    pagePosts: script(room.pagePosts),
    takenPosts: script(room.takenPosts),
    sweepRoom: script(room.sweepRoom),
    report: script(room.report),
    readRoll: script(room.readRoll),
    signalRoom: script(room.signalRoom),
    claimRoom: script(room.claimRoom),
    findAccount: script(account.findAccount),
    addAccount: script(account.addAccount),
    changeAccount: script(account.changeAccount),
    removeAccount: script(account.removeAccount),
    revoke: script(account.revoke),
    listRevocations: script(account.listRevocations),
    sweepRevocations: script(account.sweepRevocations),
  }
}
