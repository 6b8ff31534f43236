/**
 * The Lua of one room, in parts that `scripts.ts` puts together. `memory-rooms.ts` says the same rules in TypeScript.
 *
 *   KEYS[1]  hash   made, the first epoch · epoch · term, the replication id of the server that used it last · ended, epochs that ended
 *                   and their last offsets, each with a space behind · owner, private, password, messages, created · last, the
 *                   highest offset given out · uses of streams · due, when the index says to look here · seen, a stint and the
 *                   term under which a script of that stint found this server, which only this server knows
 *   KEYS[2]  list   the log, oldest first, without holes, so that the newest message is at `last`: offset, n, time (8 bytes each,
 *                   big-endian), kind (0 bytes, 1 text), length of the stream's name, the name, the body
 *   KEYS[3]  hash   stream → last number taken, use (8 bytes each)
 *   KEYS[4], KEYS[5]   the roll, where a room is made, deleted or listed (`scripts-rolls.ts`)
 *
 * A server that is promoted after a failover may lack the end of a log, and one that was started again may, too. Both have another
 * replication id than the one that used the log last; then the epoch ends before anything else happens (docs/decisions/rooms.md). To ask for that
 * id costs as much as all the rest of a small append. So it is asked for once in a stint, which is a second of one connection: what a script
 * has found is written beside, for this server and this stint alone. What another server has, or this one had before it was started again, is
 * of another stint.
 *
 * A reply of nil says that there is no such room.
 */

export const roomParts = {
  // Whether that epoch is one of the room that began with `made`.
  same: `
local function same(made, epoch)
  return epoch == made or string.sub(epoch, 1, #made + 1) == made .. '.'
end
`,
  // What the streams of a mailbox count in its state.
  uses: `
local uses
`,
  // The epoch and the ended ones, as they are from now on. The last argument of every script that begins is its stint; '' for none.
  begin: `
local stint = ARGV[#ARGV]
local function see(term)
  if stint == '' then return end
  redis.set_repl(redis.REPL_NONE)
  redis.pcall('HSET', KEYS[1], 'seen', stint .. ' ' .. term)
  redis.set_repl(redis.REPL_ALL)
end
local function begin(made, epoch, term, ended, last, seen)
  if stint ~= '' and seen == stint .. ' ' .. term then return epoch, ended end
  local mine = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
  if term == mine then
    see(term)
    return epoch, ended
  end
  insist()
  ended = ended .. epoch .. ' ' .. string.format('%.0f', last) .. ' '
  local _, count = string.gsub(ended, ' ', ' ')
  for i = 1, count / 2 - ENDED do ended = string.gsub(ended, '^%S+ %S+ ', '') end
  epoch = made .. '.' .. string.sub(mine, 1, 12)
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'term', mine, 'ended', ended)
  see(mine)
  return epoch, ended
end
`,
  // Lets the oldest messages go. Answers when the oldest that is left is old enough to go, or NEVER.
  retain: `
local function retain(most)
  local count, due = redis.call('LLEN', KEYS[2]), NEVER
  local gone = math.max(0, count - math.min(most, ROOM_MESSAGES))
  while due == NEVER and gone < count do
    local _, _, time = struct.unpack('>I8I8I8', redis.call('LINDEX', KEYS[2], gone))
    if time + ROOM_LIFE > now then due = time + ROOM_LIFE else gone = gone + 1 end
  end
  if gone > 0 then redis.call('LTRIM', KEYS[2], gone, -1) end
  return due
end
`,
} as const

/** ARGV: epoch, owner, private, password, messages, created. Answers 1 if the room is the one that this call makes. */
export const createRoom = `
local made = redis.call('HGET', KEYS[1], 'made')
if made then
  insist()
  return made == ARGV[2] and 1 or 0
end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
local mine = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
redis.call('HSET', KEYS[1], 'made', ARGV[2], 'epoch', ARGV[2], 'term', mine, 'ended', '', 'owner', ARGV[3], 'private', ARGV[4],
  'password', ARGV[5], 'messages', ARGV[6], 'created', ARGV[7], 'last', 0, 'uses', 0, 'due', NEVER)
return 1
`

/** KEYS: the set of the rooms of a client. ARGV: how many it may own, and the name of one more. Answers 0 if it may not. */
export const claimRoom = `
if redis.call('SISMEMBER', KEYS[1], ARGV[3]) == 1 then
  redis.call('SREM', KEYS[1], '')
  return 1
end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  redis.call('SREM', KEYS[1], '')
  return 0
end
redis.call('SADD', KEYS[1], ARGV[3])
return 1
`

/** ARGV: one of its epochs, and the channel on which the others are told. Answers its owner, or 0. */
export const deleteRoom = `
insist()
local made = redis.call('HGET', KEYS[1], 'made')
if not made then return 0 end
if not same(made, ARGV[2]) then return 0 end
local owner = redis.call('HGET', KEYS[1], 'owner')
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('PUBLISH', ARGV[3], 'd')
return owner
`

/**
 * ARGV: '1' if it begins an epoch when that is due, as every use does. Answers the settings, epoch, ended epochs, first,
 * last, and which leases are on the roll with how many clients.
 */
export const roomRecord = `
insist()
local h = redis.call('HMGET', KEYS[1], 'made', 'epoch', 'term', 'ended', 'owner', 'private', 'password', 'messages', 'created', 'last', 'seen')
if not h[1] then return nil end
local epoch, ended, last = h[2], h[4], tonumber(h[10])
if ARGV[2] == '1' then epoch, ended = begin(h[1], epoch, h[3], ended, last, h[11]) end
return {h[5], h[6], h[7], tonumber(h[8]), tonumber(h[9]), epoch, ended, last + 1 - redis.call('LLEN', KEYS[2]), last,
  redis.call('HGETALL', KEYS[5])}
`

/**
 * ARGV: parcels as those of a mailbox, one after the other: length of the rest, floor, expiry (not used), then a message from its n on; the
 * channel on which the others are told who appended, the epoch and the last offset; the lease of who appends; and an epoch of the room that is meant, or ''. Answers 0 if
 * the room is another one; else the epoch, the last offset, when to look here, and of each parcel its offset, or 0 if it was taken before, or the number that is missing, negative.
 */
export const appendPosts = `
local h = redis.call('HMGET', KEYS[1], 'made', 'epoch', 'term', 'ended', 'last', 'uses', 'messages', 'due', 'seen')
if not h[1] then
  insist()
  return nil
end
local last, blob, at, taken = tonumber(h[5]), ARGV[2], 1, {}
uses = tonumber(h[6])
local reply = {begin(h[1], h[2], h[3], h[4], last, h[9]), 0, 0}
if ARGV[5] ~= '' and not same(h[1], ARGV[5]) then
  insist()
  return 0
end
while at <= #blob do
  local size, floor, _, n, _, _, name = struct.unpack('>I4I8I8I8I8BBc0', blob, at)
  local after = at + 4 + size
  local one, outcome = stream(name), 0
  if n > one.last then
    local due = math.max(one.last + 1, floor)
    if n ~= due then outcome = -due
    else
      last = last + 1
      outcome = last
      one.last = n
      use(one)
      taken[#taken + 1] = struct.pack('>I8', last) .. string.sub(blob, at + 20, after - 1)
      if #taken == 256 then
        redis.call('RPUSH', KEYS[2], unpack(taken))
        taken = {}
      end
    end
  end
  reply[#reply + 1] = outcome
  at = after
end
if #taken > 0 then redis.call('RPUSH', KEYS[2], unpack(taken)) end
if last > tonumber(h[5]) then
  keep({})
  redis.call('HSET', KEYS[1], 'last', last, 'uses', uses)
  redis.call('PUBLISH', ARGV[3], 'a' .. ARGV[4] .. ' ' .. reply[1] .. ' ' .. string.format('%.0f', last))
else insist() end
reply[2] = last
local due = retain(tonumber(h[7]))
if due < tonumber(h[8]) then
  redis.call('HSET', KEYS[1], 'due', due)
  reply[3] = due
end
return reply
`

/**
 * ARGV: '1' to go forward, after, before, a sender or '', limit, bytes, and how many messages to look at. Answers the epoch, the ended ones,
 * first and last, the offset at which it stopped early or 0, and messages in the direction in which it goes.
 */
export const pagePosts = `
insist()
local h = redis.call('HMGET', KEYS[1], 'made', 'epoch', 'term', 'ended', 'last', 'seen')
if not h[1] then return nil end
local last = tonumber(h[5])
local epoch, ended = begin(h[1], h[2], h[3], h[4], last, h[6])
local first = last + 1 - redis.call('LLEN', KEYS[2])
local forward, sender = ARGV[2] == '1', ARGV[5] ~= '' and ARGV[5] .. ' '
local low, high = math.max(tonumber(ARGV[3]) + 1, first), math.min(tonumber(ARGV[4]) - 1, last)
local limit, most, left = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local found, bytes, stopped = {}, 0, 0
local function wanted(post)
  local offset, _, _, _, name, body = struct.unpack('>I8I8I8BBc0', post)
  if not sender or string.sub(name, 1, #sender) == sender then
    bytes = bytes + #post - body + 1
    if #found > 0 and bytes > most then return false end
    found[#found + 1] = post
    if #found == limit then return false end
  end
  left = left - 1
  if left == 0 then stopped = offset end
  return left > 0
end
local going = limit > 0
while going and low <= high do
  local from, to = low, math.min(high, low + 15)
  if not forward then from, to = math.max(low, high - 15), high end
  local part = redis.call('LRANGE', KEYS[2], from - first, to - first)
  for i = 1, #part do
    going = wanted(part[forward and i or #part + 1 - i])
    if not going then break end
  end
  if forward then low = to + 1 else high = from - 1 end
end
return {epoch, ended, first, last, stopped, found}
`

/** ARGV: a stream. Answers what is known of it. */
export const takenPosts = `
insist()
return redis.call('HGET', KEYS[3], ARGV[2])
`

/** Answers when to look here again; 0 for never. */
export const sweepRoom = `
insist()
local h = redis.call('HMGET', KEYS[1], 'made', 'messages')
if not h[1] then return 0 end
local due = math.min(retain(tonumber(h[2])), now + ROOM_LIFE)
redis.call('HSET', KEYS[1], 'due', due)
return due
`
