/**
 * The Lua of the roll of a room: who is in it, at whatever node.
 *
 *   KEYS[1]  hash   the room (`scripts-rooms.ts`)
 *   KEYS[2]  hash   client → the lease of the process at which it is, a space, its name
 *   KEYS[3]  hash   lease → clients that are there under it · '' → the mark: the µs of the last change, or one more than the mark before it
 *
 * The last two lapse a day after their last use; long before that, those who are on them at a process that is dead are taken off by
 * whoever looks next.
 */

const LIFE_MS = 86_400_000

/**
 * ARGV: an epoch of the room, the lease of the process that reports, the mark that it has seen, the channel, dead leases with a space behind each, how many
 * come, id and name of each of them, and the ids of those who go. Answers the mark, those who stayed elsewhere, the leases that are on the roll,
 * and the roll as clients and their values, or 0 when only this has changed it and nobody is dead. Changes are published as a list of texts: the mark before, the mark,
 * and for each client its id, '+' or '-', and its name.
 */
export const report = `
insist()
local made = redis.call('HGET', KEYS[1], 'made')
if not made or not same(made, ARGV[2]) then return nil end
local own, coming = ARGV[3], tonumber(ARGV[7])
local before = redis.call('HGET', KEYS[3], '')
local mark, news, stayed = tonumber(before or 0), {}, {}
local function told(id, sign, name)
  news[#news + 1] = id
  news[#news + 1] = sign
  news[#news + 1] = name
end
local function off(id, lease)
  redis.call('HDEL', KEYS[2], id)
  if redis.call('HINCRBY', KEYS[3], lease, -1) <= 0 then redis.call('HDEL', KEYS[3], lease) end
end
for dead in string.gmatch(ARGV[6], '%S+') do
  local all = redis.call('HGETALL', KEYS[2])
  for i = 1, #all, 2 do
    if string.sub(all[i + 1], 1, #dead + 1) == dead .. ' ' then
      off(all[i], dead)
      told(all[i], '-', '')
    end
  end
  redis.call('HDEL', KEYS[3], dead)
end
for i = 8, 6 + coming * 2, 2 do
  local id, name = ARGV[i], ARGV[i + 1]
  local was = redis.call('HGET', KEYS[2], id)
  local lease = was and string.match(was, '^(%S*) ')
  if was or redis.call('HLEN', KEYS[2]) < ROLL_NAMES then
    redis.call('HSET', KEYS[2], id, own .. ' ' .. name)
    if lease ~= own then
      redis.call('HINCRBY', KEYS[3], own, 1)
      if lease and redis.call('HINCRBY', KEYS[3], lease, -1) <= 0 then redis.call('HDEL', KEYS[3], lease) end
    end
    if not was then told(id, '+', name) end
  end
end
for i = 8 + coming * 2, #ARGV do
  local was = redis.call('HGET', KEYS[2], ARGV[i])
  local lease = was and string.match(was, '^(%S*) ')
  if lease == own then
    off(ARGV[i], own)
    told(ARGV[i], '-', '')
  elseif was then stayed[#stayed + 1] = ARGV[i] end
end
if #news > 0 or not before then
  mark = math.max(mark + 1, us)
  redis.call('HSET', KEYS[3], '', string.format('%.0f', mark))
end
local written = string.format('%.0f', mark)
if #news > 0 then
  table.insert(news, 1, written)
  table.insert(news, 1, before or '0')
  redis.call('PUBLISH', ARGV[5], 'r' .. cjson.encode(news))
end
for i = 2, 3 do redis.call('PEXPIRE', KEYS[i], ${LIFE_MS}) end
local leases = {}
for _, lease in ipairs(redis.call('HKEYS', KEYS[3])) do
  if lease ~= '' then leases[#leases + 1] = lease end
end
local everybody = 0
if ARGV[4] ~= before or ARGV[6] ~= '' then everybody = redis.call('HGETALL', KEYS[2]) end
return {written, stayed, leases, everybody}
`

/** Everybody on the roll, as clients and their values, for who has nothing to report. `KEYS[1]` is the roll. */
export const readRoll = `
return redis.call('HGETALL', KEYS[1])
`

/**
 * ARGV: the channel of the room, and what is told on it. A command without a key goes to any server of a cluster, and two of them may be overtaken: a
 * script goes where the room is, so that signals come in the order in which they were made.
 */
export const signalRoom = `
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 0
`
