/**
 * The Lua of ownership: who has a client now, and how that ends. See `scripts-mailbox.ts` for the keys.
 */

/** ARGV: hash of the secret or '', create, node, lease, nonce, outbox, attempt, a lease, whether that one lives. */
export const bind = `
local hash, create, node, lease, nonce, outbox = ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local attempt, asked, lives = tonumber(ARGV[8]), ARGV[9], ARGV[10] == '1'
local h = redis.call('HMGET', KEYS[1], 'token', 'nonce', 'outbox', 'attempt', 'resumed', 'previous', 'secret', 'next', 'epoch', 'replaced',
  'given')
local token, secret, nextSecret = h[1], h[7], h[8]
open()
local from, at = holder()
-- Only the caller can know whether another process still lives.
if token and from ~= lease and from ~= asked then return {'ask', from} end
if token and from == asked and from ~= lease and not lives then token = false end
if not token and (not expires or expires <= now) then
  if not create then
    insist()
    return {'unknown'}
  end
  expires, last, bytes, earliest, due, uses, count = now + ID_LIFE, 0, 0, NEVER, now + ID_LIFE, 0, 0
  -- Out of memory nobody new is taken, and this is the write that is refused.
  save()
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  redis.call('HSET', KEYS[1], 'token', '1:' .. nonce, 'nonce', nonce, 'outbox', outbox, 'attempt', attempt, 'resumed', '', 'previous', '',
    'epoch', 1)
  redis.call('HSET', KEYS[3], 'state', state(), 'owner', lease .. ' ' .. node)
  if hash ~= '' then redis.call('HSET', KEYS[1], 'secret', hash) end
  return {'bound', '1:' .. nonce, '', 0, expires, ''}
end
insist()
if hash ~= '' and hash ~= secret and hash ~= nextSecret then return {create and 'taken' or 'bad_secret'} end
if token and h[2] == nonce then return {'bound', token, h[5], count, expires, h[6]} end
local replaced = {}
if token and h[3] == outbox then
  if attempt > 0 and tonumber(h[4]) > attempt then return {'superseded'} end
elseif token then
  for at in string.gmatch(h[10] or '', '%d+') do
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
local epoch = tonumber(h[9]) + 1
local mine = string.format('%.0f:%s', epoch, nonce)
local resumed = (create and hash ~= '') and '' or '1'
local previous = token and at or ''
expires = now + ID_LIFE
redis.call('HSET', KEYS[1], 'token', mine, 'nonce', nonce, 'outbox', outbox, 'attempt', attempt, 'resumed', resumed, 'previous', previous,
  'epoch', epoch, 'before', h[11] or 0)
redis.call('HSET', KEYS[3], 'state', state(), 'owner', lease .. ' ' .. node)
return {'bound', mine, resumed, count, expires, previous}
`

/** ARGV: token, lease, suspect. Answers when to look here, then stream and n of what died. */
export const unbind = `
insist()
local suspect = tonumber(ARGV[4])
local h = redis.call('HMGET', KEYS[1], 'token', 'ended', 'headS', 'headTries')
if not open() then return 'forgotten' end
if h[2] == ARGV[2] then return {0} end
local refusal = fenced(h[1])
if refusal then return refusal end
release()
redis.call('HSET', KEYS[1], 'ended', ARGV[2])
local function look(at)
  at = sooner(at)
  if at > 0 then save() end
  return at
end
local soonest = math.min(expires, earliest)
local head = suspect > 0 and redis.call('LINDEX', KEYS[2], 0)
if not head then return {look(soonest)} end
local s, ends, n, time, kind, name, body = struct.unpack(ENTRY, head)
if s ~= suspect or kind % 4 >= 2 then return {look(soonest)} end
local tries = 1
if tonumber(h[3] or 0) == suspect then tries = tonumber(h[4]) + 1 end
redis.call('HSET', KEYS[1], 'headS', suspect, 'headTries', tries)
if tries < HEAD_ATTEMPTS then return {look(soonest)} end
redis.call('RPUSH', KEYS[4], struct.pack('>I8', now) .. head)
redis.call('LTRIM', KEYS[4], -DEAD, -1)
redis.call('LSET', KEYS[2], 0, void(head, DEAD_LETTER, body))
bytes = bytes - (#head - body + 1)
lose(name, n, DEAD_LETTER)
local at = sooner(math.min(soonest, now + DEAD_LIFE))
keep({'state', state()})
return {at, name, n}
`

/** ARGV: token, lease, hash of the new secret. */
export const rotate = `
insist()
open()
local refusal = fenced(redis.call('HGET', KEYS[1], 'token'))
if refusal then return refusal end
redis.call('HSET', KEYS[1], 'next', ARGV[4])
return {}
`

/** KEYS: the third of a client. ARGV: what the channels of processes begin with, the process that asks, and what is told to the one at which the client is, if that is another one. */
export const signal = `
local owner = redis.call('HGET', KEYS[1], 'owner')
local node = owner and string.match(owner, '^%S* (.*)$')
if node and node ~= ARGV[3] then redis.call('PUBLISH', ARGV[2] .. node, ARGV[4]) end
return 0
`
