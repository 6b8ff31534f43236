/**
 * The Lua of ownership: who has a client now, and how that ends. See `scripts-mailbox.ts` for the keys.
 */

/** ARGV: hash of the secret or '', create, node, lease, nonce, outbox, attempt, a lease, whether that one lives. */
export const bind = `
local hash, create, node, lease, nonce, outbox = ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local attempt, asked, lives = tonumber(ARGV[8]), ARGV[9], ARGV[10] == '1'
local h = redis.call('HMGET', KEYS[1], 'expires', 'token', 'lease', 'node', 'nonce', 'outbox', 'attempt', 'resumed', 'previous',
  'secret', 'next', 'epoch', 'replaced', 'given')
local token, secret, nextSecret = h[2], h[10], h[11]
-- Only the caller can know whether another process still lives.
if token and h[3] ~= lease and h[3] ~= asked then return {'ask', h[3]} end
if token and h[3] == asked and h[3] ~= lease and not lives then token = false end
if not found(h[1], token) then
  if not create then
    insist()
    return {'unknown'}
  end
  local expires = now + ID_LIFE
  -- Out of memory nobody new is taken, and this is the write that is refused.
  redis.call('HSET', KEYS[1], 'expires', expires)
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  redis.call('HSET', KEYS[1], 'expires', expires, 'token', '1:' .. nonce, 'lease', lease, 'node', node, 'nonce', nonce,
    'outbox', outbox, 'attempt', attempt, 'resumed', '', 'previous', '', 'epoch', 1, 'last', 0, 'bytes', 0, 'uses', 0,
    'earliest', NEVER, 'due', expires)
  if hash ~= '' then redis.call('HSET', KEYS[1], 'secret', hash) end
  return {'bound', '1:' .. nonce, '', 0, expires, ''}
end
insist()
if hash ~= '' and hash ~= secret and hash ~= nextSecret then return {create and 'taken' or 'bad_secret'} end
local parked = redis.call('LLEN', KEYS[2])
if token and h[5] == nonce then return {'bound', token, h[8], parked, tonumber(h[1]), h[9]} end
local replaced = {}
if token and h[6] == outbox then
  if attempt > 0 and tonumber(h[7]) > attempt then return {'superseded'} end
elseif token then
  for at in string.gmatch(h[13] or '', '%d+') do
    if tonumber(at) > now - MINUTE then replaced[#replaced + 1] = at end
  end
  if #replaced >= REPLACEMENTS then return {'flood'} end
  replaced[#replaced + 1] = string.format('%.0f', now)
  redis.call('HSET', KEYS[1], 'replaced', table.concat(replaced, ' '))
end
if hash ~= '' and hash == nextSecret then
  redis.call('HSET', KEYS[1], 'secret', hash)
  redis.call('HDEL', KEYS[1], 'next')
end
local epoch = tonumber(h[12]) + 1
local mine = string.format('%.0f:%s', epoch, nonce)
local resumed = (create and hash ~= '') and '' or '1'
local previous = token and h[4] or ''
local expires = now + ID_LIFE
redis.call('HSET', KEYS[1], 'expires', expires, 'token', mine, 'lease', lease, 'node', node, 'nonce', nonce,
  'outbox', outbox, 'attempt', attempt, 'resumed', resumed, 'previous', previous, 'epoch', epoch, 'before', h[14] or 0)
return {'bound', mine, resumed, parked, expires, previous}
`

/** ARGV: token, lease, suspect. Answers when to look here, then stream and n of what died. */
export const unbind = `
insist()
local suspect = tonumber(ARGV[4])
local h = redis.call('HMGET', KEYS[1], 'expires', 'token', 'lease', 'ended', 'due', 'earliest', 'bytes', 'uses', 'headS', 'headTries')
if not found(h[1], h[2]) then return 'forgotten' end
if h[4] == ARGV[2] then return {0} end
local refusal = fenced(h[2], h[3])
if refusal then return refusal end
redis.call('HDEL', KEYS[1], 'token', 'lease', 'node', 'nonce', 'outbox', 'attempt', 'resumed', 'previous')
redis.call('HSET', KEYS[1], 'ended', ARGV[2])
local due = math.min(tonumber(h[1]), tonumber(h[6]))
local head = suspect > 0 and redis.call('LINDEX', KEYS[2], 0)
if not head then return {sooner(due, h[5])} end
local s, ends, n, time, kind, name, body = struct.unpack(ENTRY, head)
if s ~= suspect or kind % 4 >= 2 then return {sooner(due, h[5])} end
local tries = 1
if tonumber(h[9] or 0) == suspect then tries = tonumber(h[10]) + 1 end
redis.call('HSET', KEYS[1], 'headS', suspect, 'headTries', tries)
if tries < HEAD_ATTEMPTS then return {sooner(due, h[5])} end
redis.call('RPUSH', KEYS[4], struct.pack('>I8', now) .. head)
redis.call('LTRIM', KEYS[4], -DEAD, -1)
redis.call('LSET', KEYS[2], 0, void(head, DEAD_LETTER, body))
uses = tonumber(h[8])
lose(name, n, DEAD_LETTER)
keep()
redis.call('HSET', KEYS[1], 'bytes', tonumber(h[7]) - (#head - body + 1), 'uses', uses)
return {sooner(math.min(due, now + DEAD_LIFE), h[5]), name, n}
`

/** ARGV: token, lease, hash of the new secret. */
export const rotate = `
insist()
local h = redis.call('HMGET', KEYS[1], 'token', 'lease')
local refusal = fenced(h[1], h[2])
if refusal then return refusal end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return {}
`

/** ARGV: what the channels of processes begin with, the process that asks, and what is told to the one at which the client is, if that is another one. */
export const signal = `
local h = redis.call('HMGET', KEYS[1], 'node', 'token')
if h[2] and h[1] and h[1] ~= ARGV[3] then redis.call('PUBLISH', ARGV[2] .. h[1], ARGV[4]) end
return 0
`
