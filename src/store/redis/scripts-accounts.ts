/**
 * The Lua of accounts and revocations.
 *
 * An account is a hash in the slot of its id, with the fields of `Account` but the id; what is true is 1. The revocations are together:
 *   KEYS[1]  sorted set  kind and value, with a space between, by place
 *   KEYS[2]  sorted set  the same by when they expire
 *   KEYS[3]  hash        the same → when it was revoked · last, the highest place given out
 */

/** ARGV: the fields. Answers their values. */
export const findAccount = `
insist()
return redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
`

/** ARGV: password, then all fields and their values. Answers 1 if the account is the one that this call adds. */
export const addAccount = `
local known = redis.call('HGET', KEYS[1], 'password')
if known then
  insist()
  return known == ARGV[2] and 1 or 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1
`

/** ARGV: fields and their values, of which there are some. */
export const changeAccount = `
insist()
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
`

export const removeAccount = `
return redis.call('DEL', KEYS[1])
`

/** Forgets some of what has expired. */
export const forgetRevocations = `
local function forget()
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1000)) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('ZREM', KEYS[2], name)
    redis.call('HDEL', KEYS[3], name)
  end
end
`

export const sweepRevocations = `
forget()
return 0
`

/** ARGV: kind and value, time, expires, and how many may be listed. Answers 0 if the list is full. */
export const revoke = `
-- Needs no memory, and so lets the writes after it have some: what leaked must not stay good because Redis is full.
redis.call('ZREM', KEYS[1], '')
local name, time, expires, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local known = redis.call('ZSCORE', KEYS[2], name)
if known then
  expires = math.max(expires, tonumber(known))
  time = math.max(time, tonumber(redis.call('HGET', KEYS[3], name)))
elseif redis.call('ZCARD', KEYS[2]) >= most then
  forget()
  if redis.call('ZCARD', KEYS[2]) >= most then return 0 end
end
local place = math.max(tonumber(redis.call('HGET', KEYS[3], 'last') or 0) + 1, us)
redis.call('HSET', KEYS[3], name, time, 'last', place)
redis.call('ZADD', KEYS[1], place, name)
redis.call('ZADD', KEYS[2], expires, name)
return 1
`

/** ARGV: the place after which, as a bound of a range, and limit. Answers name, place, time and expiry in turn. */
export const listRevocations = `
-- A write, for which a replica refuses it.
redis.call('ZREM', KEYS[1], '')
local reply = {}
local found = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #found, 2 do
  local name = found[i]
  reply[#reply + 1] = name
  reply[#reply + 1] = tonumber(found[i + 1])
  reply[#reply + 1] = tonumber(redis.call('HGET', KEYS[3], name))
  reply[#reply + 1] = tonumber(redis.call('ZSCORE', KEYS[2], name))
end
return reply
`
