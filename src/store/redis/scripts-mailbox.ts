/**
 * The Lua of one client, that `scripts.ts` puts together with the parts of `scripts-parts.ts`. `memory/tables.ts` says the same rules in TypeScript.
 *
 *   KEYS[1]  hash   token, nonce, outbox, attempt, resumed, previous of the owner, if there is one · ended, the token that ended last ·
 *                   epoch · replaced, when · secret, next · headS, headTries · given, the highest place handed to a session, and
 *                   before, to one before this
 *   KEYS[2]  list   the parked messages, oldest first: place, expiry, n, time (8 bytes each, big-endian), kind, length of the stream's
 *                   name, the name, the body. Kinds: 0 bytes, 1 text, and without a body 2 expired, 3 dead; 4 more when it was sent
 *                   before it was parked
 *   KEYS[3]  hash   all that parking has to know: stream → last, delivered, use (8 bytes each), then n and end (9 bytes) of each message
 *                   that ended otherwise · owner → lease and node of the owner, a space between them · state → when the client lapses, the
 *                   highest place given out, bytes, before when no message expires, when the index says to look here, uses of
 *                   streams (8 bytes each), messages (4)
 *   KEYS[4]  list   dead letters, oldest first: time of death, then the message
 *
 * A reply of nil says that there is no such client; `stale` or `forgotten`, that the session is over.
 */

/**
 * For several clients at once, since starting a script costs more than parking a message: KEYS are the first of the first client, then the
 * second and third of each. ARGV[2] holds the parcels of each, behind their length in bytes: length of the rest, floor, expiry or 0, then a
 * message from its n on. Answers for each, when all was taken, nobody has the client and the index knows all it has to, whether the mailbox
 * was empty; else lease and node of the owner, when to look here, whether it was empty, how many from the first one on were
 * taken, and the outcomes of the others.
 */
export const enqueue = `
local blob, max, pack, read = ARGV[2], math.max, struct.pack, struct.unpack
local PARCEL, ENDS = '>I4I8I8I8I8BBc0', {'rejected', 'expired', 'dead'}
local function earned(one, n)
  local sought = pack('>I8', n)
  local at = string.find(one.lost, sought, 1, true)
  while at do
    if at % 9 == 1 then return ENDS[string.byte(one.lost, at + 8)] end
    at = string.find(one.lost, sought, at + 1, true)
  end
  return n <= one.delivered and 'delivered' or 'stored'
end
local wrote = false
local function park(at, stop)
  local size, floor, ends, n, time, kind, name, body = read(PARCEL, blob, at)
  local kept = redis.call('HMGET', KEYS[3], 'state', 'owner', name)
  if not opened(kept[1], kept[2]) then return false end
  known, fresh = {[name] = learnt(kept[3])}, false
  local before, leading, entries, others, latest = count, 0, nil, nil, now + MESSAGE_LIFE
  repeat
    local after = at + 4 + size
    local one, outcome = known[name] or stream(name), nil
    local following = max(one.last + 1, floor)
    if n <= one.last then outcome = earned(one, n)
    elseif n ~= following then outcome = following
    elseif count >= MESSAGES or bytes + after - body > BYTES then outcome = 'full'
    else
      if ends == 0 or ends > latest then ends = latest end
      if ends < earliest then earliest = ends end
      last = max(last + 1, us)
      count = count + 1
      bytes = bytes + after - body
      one.last = n
      use(one)
      local entry = pack('>I8I8', last, ends) .. string.sub(blob, at + 20, after - 1)
      if not entries then entries = {entry}
      else entries[#entries + 1] = entry end
      if #entries == 256 then
        redis.call('RPUSH', KEYS[2], unpack(entries))
        entries = nil
      end
    end
    if others then others[#others + 1] = outcome or 'ok'
    elseif outcome then others = {outcome}
    else leading = leading + 1 end
    at = after
    if at < stop then size, floor, ends, n, time, kind, name, body = read(PARCEL, blob, at) end
  until at >= stop
  local look = 0
  if count > before then
    wrote = true
    look = sooner(math.min(expires, earliest))
    if entries then redis.call('RPUSH', KEYS[2], unpack(entries)) end
    keep({'state', state()})
  end
  local empty = before == 0 and 1 or 0
  if look == 0 and not others and not owner then return empty end
  local lease, node = holder()
  return {lease or '', node or '', look, empty, leading, unpack(others or {})}
end
local replies, at = {}, 1
for client = 1, (#KEYS - 1) / 2 do
  KEYS[2], KEYS[3] = KEYS[client * 2], KEYS[client * 2 + 1]
  local stop = at + 4 + read('>I4', blob, at)
  replies[client] = park(at + 4, stop)
  at = stop
end
if not wrote then insist() end
return replies
`

/**
 * ARGV: token, lease, after, limit, bytes. A place that was never given out is one of another history: a failover has lost the page that gave
 * it. What lies before it may never have been sent to the session, which therefore has to begin anew. Answers the oldest place, whether there is more, what expired, the messages, and up to where
 * they were given out before.
 */
export const page = `
insist()
local h = redis.call('HMGET', KEYS[1], 'token', 'given', 'before')
local after, limit, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local given, before = tonumber(h[2] or 0), tonumber(h[3] or 0)
open()
local refusal = fenced(h[1]) or (after > given and 'forgotten')
if refusal then return refusal end
local lost = expire(after)
local entries, size, more, from = {}, 0, 0, first(after)
local head = redis.call('LINDEX', KEYS[2], 0)
repeat
  local part = redis.call('LRANGE', KEYS[2], from, from + 63)
  for _, entry in ipairs(part) do
    size = size + #entry - 34 - string.byte(entry, 34)
    if #entries == limit or (#entries > 0 and size > most) then
      more = 1
      break
    end
    entries[#entries + 1] = entry
  end
  from = from + 64
until more == 1 or #part < 64
local newest = entries[#entries] and struct.unpack('>I8', entries[#entries]) or 0
if newest > given then redis.call('HSET', KEYS[1], 'given', newest) end
return {head and struct.unpack('>I8', head) or 0, more, lost, entries, before}
`

/**
 * ARGV: token, lease, up to, whether that one is refused; then, if the caller remembers what it was given, how many those are, the bytes of
 * their bodies, and each stream with the highest number delivered. Where the last of so many has that place they are the same ones, since
 * nothing comes in between, and nothing that a session was given changes while that lasts: so they are not read. Answers stream and n of
 * the one refused. As for a page, so for what is above `given`.
 */
export const remove = `
insist()
local h = redis.call('HMGET', KEYS[1], 'token', 'given')
local upTo, refused, gone, lost = tonumber(ARGV[4]), ARGV[5] == '1', 0, {}
open()
local refusal = fenced(h[1]) or (upTo > tonumber(h[2] or 0) and 'forgotten')
if refusal then return refusal end
local function read()
  repeat
    local before = gone
    for _, entry in ipairs(redis.call('LRANGE', KEYS[2], gone, gone + 63)) do
      local s, ends, n, time, kind, name, body = struct.unpack(ENTRY, entry)
      if s > upTo then return end
      gone = gone + 1
      if kind % 4 < 2 then
        bytes = bytes - (#entry - body + 1)
        if refused and s == upTo then
          lose(name, n, REJECTED)
          lost = {name, n}
        else deliver(name, n) end
      end
    end
  until gone < before + 64
end
local many = tonumber(ARGV[6] or 0)
local newest = many > 0 and redis.call('LINDEX', KEYS[2], many - 1)
if newest and struct.unpack('>I8', newest) == upTo then
  gone = many
  bytes = bytes - ARGV[7]
  for i = 8, #ARGV, 2 do deliver(ARGV[i], tonumber(ARGV[i + 1])) end
else read() end
if gone == 0 then return lost end
redis.call('LTRIM', KEYS[2], gone, -1)
count = count - gone
if count == 0 then earliest = NEVER end
keep({'state', state()})
return lost
`

/** ARGV: stream. */
export const sync = `
insist()
local kept = redis.call('HMGET', KEYS[3], 'state', 'owner', ARGV[2])
return opened(kept[1], kept[2]) and kept[3] or nil
`

export const touch = `
if open() then
  expires = now + ID_LIFE
  save()
end
return 0
`

/**
 * ARGV: a lease that is known to have ended, or ''. Answers when to look here again, 0 for never; the lease of the owner, or ''; then stream and
 * n of what expired.
 */
export const sweep = `
insist()
open()
if not expires then return {0, ''} end
local letter = redis.call('LINDEX', KEYS[4], 0)
while letter and struct.unpack('>I8', letter) <= now - DEAD_LIFE do
  redis.call('LPOP', KEYS[4])
  letter = redis.call('LINDEX', KEYS[4], 0)
end
local lease = holder()
if lease and lease ~= ARGV[2] then
  due = now + MINUTE
  save()
  return {due, lease}
end
if lease then release() end
local reply = {0, ''}
if expires <= now then
  for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local s, ends, n, time, kind, name = struct.unpack(ENTRY, entry)
    if kind % 4 < 2 then
      reply[#reply + 1] = name
      reply[#reply + 1] = n
    end
  end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  return reply
end
for _, one in ipairs(expire(0)) do reply[#reply + 1] = one end
due = math.min(expires, earliest)
if letter then due = math.min(due, struct.unpack('>I8', letter) + DEAD_LIFE) end
save()
reply[1] = due
return reply
`

/** Everything but what the connected client, if there is one, may have been sent: answers stream and n of each. */
export const discard = `
insist()
if not open() then return nil end
-- The time of all of them has come.
now, earliest = NEVER, 0
return expire(owner and tonumber(redis.call('HGET', KEYS[1], 'given') or 0) or 0)
`

export const clientRecord = `
if not open() then return nil end
local head, dead, oldest = redis.call('LINDEX', KEYS[2], 0), 0, 0
if head then local _, _, _, time = struct.unpack('>I8I8I8I8', head) oldest = time end
for _, letter in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  if struct.unpack('>I8', letter) > now - DEAD_LIFE then dead = dead + 1 end
end
local lease, node = holder()
return {lease or '', node or '', count, bytes, oldest, expires, dead}
`

/** ARGV: after, limit. */
export const view = `
if not open() then return nil end
local from = first(tonumber(ARGV[2]))
return redis.call('LRANGE', KEYS[2], from, from + tonumber(ARGV[3]) - 1)
`

export const deadLetters = `
if not open() then return nil end
local letters = {}
for _, letter in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  if struct.unpack('>I8', letter) > now - DEAD_LIFE then letters[#letters + 1] = string.sub(letter, 9) end
end
return letters
`
