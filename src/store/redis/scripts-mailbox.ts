/**
 * The Lua of one client, in parts that `scripts.ts` puts together. `memory-tables.ts` says the same rules in TypeScript.
 *
 *   KEYS[1]  hash   token, lease, node, nonce, outbox, attempt, resumed, previous of the owner, if there is one · ended, the token that
 *                   ended last · epoch · replaced, when · secret, next · expires · last, the highest place given out · bytes · uses
 *                   of streams · earliest, before which no message expires · due, when the index says to look here · headS, headTries ·
 *                   given, the highest place handed to a session, and before, to one before this
 *   KEYS[2]  list   the parked messages, oldest first: place, expiry, n, time (8 bytes each, big-endian), kind, length of the stream's
 *                   name, the name, the body. Kinds: 0 bytes, 1 text, and without a body 2 expired, 3 dead; 4 more when it was sent
 *                   before it was parked
 *   KEYS[3]  hash   stream → last, delivered, use (8 bytes each), then n and end (9 bytes) of each message that ended otherwise
 *   KEYS[4]  list   dead letters, oldest first: time of death, then the message
 *
 * A reply of nil says that there is no such client; `stale` or `forgotten`, that the session is over.
 */

/** The helpers of the scripts, each taken along only by those that use it: a function of Lua is made anew by every call. */
export const parts = {
  entry: `
local ENTRY = '>I8I8I8I8BBc0'
`,
  found: `
local function found(expires, token) return expires and (token or tonumber(expires) > now) end
`,
  fenced: `
local function fenced(token, lease)
  if token == ARGV[2] and lease == ARGV[3] then return false end
  local theirs, mine = tonumber(string.match(token or '', '^%d+')), tonumber(string.match(ARGV[2], '^%d+'))
  local later = theirs and token ~= ARGV[2] and not (mine and theirs < mine)
  return later and 'stale' or 'forgotten'
end
`,
  // Out of memory Redis refuses a script at its first write that may need some, and none of the later ones. What gives memory back,
  // or lets a client come for what waits for it, begins with this write, which needs none. So does what would else write nothing:
  // a replica runs scripts until they write, and its word would be of a history that may not be the one that holds.
  insist: `
local function insist() redis.call('HDEL', KEYS[1], 'none') end
`,
  // Whose mailbox ends sooner than the index knows is told to it by the caller.
  sooner: `
local function sooner(due, known)
  if due >= tonumber(known) then return 0 end
  redis.call('HSET', KEYS[1], 'due', due)
  return due
end
`,
  // The index in the list of the first message after a place.
  first: `
local function first(after)
  local head = redis.call('LINDEX', KEYS[2], 0)
  if not head or struct.unpack('>I8', head) > after then return 0 end
  local low, high = 1, redis.call('LLEN', KEYS[2])
  while low < high do
    local middle = math.floor((low + high) / 2)
    if struct.unpack('>I8', redis.call('LINDEX', KEYS[2], middle)) > after then high = middle else low = middle + 1 end
  end
  return low
end
`,
  // A stream as it is known, and the writing down of those that were used. A quarter more than the limit may be there, so that
  // forgetting is rare.
  streams: `
local EXPIRED, DEAD_LETTER, REJECTED = 2, 3, 1
local known, uses, fresh = {}, 0, false
local function stream(name)
  local one = known[name]
  if one then return one end
  local kept = redis.call('HGET', KEYS[3], name)
  if kept then
    local last, delivered = struct.unpack('>I8I8', kept)
    one = {last = last, delivered = delivered, lost = string.sub(kept, 25)}
  else one = {last = 0, delivered = 0, lost = '', new = true} end
  known[name] = one
  return one
end
local function use(one)
  uses = uses + 1
  one.used = uses
  fresh = fresh or one.new
end
local function keep()
  local fields = {}
  for name, one in pairs(known) do
    if one.used then
      if one.more then one.lost = string.sub(one.lost .. table.concat(one.more), -9 * LOST) end
      one.more = nil
      fields[#fields + 1] = name
      fields[#fields + 1] = struct.pack('>I8I8I8', one.last, one.delivered, one.used) .. one.lost
    end
    if #fields == 1000 then
      redis.call('HSET', KEYS[3], unpack(fields))
      fields = {}
    end
  end
  if #fields > 0 then redis.call('HSET', KEYS[3], unpack(fields)) end
  if not fresh or redis.call('HLEN', KEYS[3]) <= STREAMS * 1.25 then return end
  local all, byUse = redis.call('HGETALL', KEYS[3]), {}
  for i = 1, #all, 2 do
    local _, _, used = struct.unpack('>I8I8I8', all[i + 1])
    byUse[#byUse + 1] = {all[i], used}
  end
  table.sort(byUse, function(a, b) return a[2] < b[2] end)
  for i = 1, #byUse - STREAMS do redis.call('HDEL', KEYS[3], byUse[i][1]) end
end
`,
  deliver: `
local function deliver(name, n)
  local one = stream(name)
  if n > one.delivered then one.delivered = n end
  if n > one.last then one.last = n end
  use(one)
end
`,
  lose: `
local function lose(name, n, how)
  local one = stream(name)
  if n > one.last then one.last = n end
  one.more = one.more or {}
  one.more[#one.more + 1] = struct.pack('>I8B', n, how)
  use(one)
end
`,
  void: `
local function void(entry, kind, body)
  local repeated = string.byte(entry, 33) >= 4 and 4 or 0
  return string.sub(entry, 1, 32) .. string.char(repeated + kind) .. string.sub(entry, 34, body - 1)
end
`,
  // Turns what has expired after a place into voids. Answers stream and n of each, the bytes that are left, and the new "earliest".
  expire: `
local function expire(after, earliest, bytes)
  local lost = {}
  if earliest > now then return lost, bytes, earliest end
  insist()
  local from, least = 0, NEVER
  repeat
    local part = redis.call('LRANGE', KEYS[2], from, from + 63)
    for i, entry in ipairs(part) do
      local s, ends, n, time, kind, name, body = struct.unpack(ENTRY, entry)
      kind = kind % 4
      if kind < 2 and s > after and ends <= now then
        redis.call('LSET', KEYS[2], from + i - 1, void(entry, EXPIRED, body))
        bytes = bytes - (#entry - body + 1)
        lose(name, n, EXPIRED)
        lost[#lost + 1] = name
        lost[#lost + 1] = n
      elseif kind < 2 and ends < least then least = ends end
    end
    from = from + 64
  until #part < 64
  keep()
  redis.call('HSET', KEYS[1], 'bytes', bytes, 'earliest', least, 'uses', uses)
  return lost, bytes, least
end
`,
} as const

/**
 * For several clients at once, since starting a script costs more than parking a message: KEYS are four for each, ARGV the parcels of each, one
 * after the other: length of the rest, floor, expiry or 0, then a message from its n on. Answers for each node and lease of the
 * owner, when to look here, whether the mailbox was empty, how many from the first one on were taken, and the outcomes of the others.
 */
export const enqueue = `
local ends = {'rejected', 'expired', 'dead'}
local function earned(one, n)
  local sought = struct.pack('>I8', n)
  local at = string.find(one.lost, sought, 1, true)
  while at do
    if at % 9 == 1 then return ends[string.byte(one.lost, at + 8)] end
    at = string.find(one.lost, sought, at + 1, true)
  end
  return n <= one.delivered and 'delivered' or 'stored'
end
local wrote = false
local function park(blob)
  known, fresh = {}, false
  local h = redis.call('HMGET', KEYS[1], 'expires', 'token', 'lease', 'node', 'last', 'bytes', 'earliest', 'due', 'uses')
  if not found(h[1], h[2]) then return false end
  local count = redis.call('LLEN', KEYS[2])
  local last, bytes, earliest = tonumber(h[5]), tonumber(h[6]), tonumber(h[7])
  uses = tonumber(h[9])
  local empty = count == 0 and 1 or 0
  local reply, entries, taken, at = {h[4] or '', h[3] or '', 0, empty, 0}, {}, 0, 1
  while at <= #blob do
    local size, floor, expires, n, time, kind, name, body = struct.unpack('>I4I8I8I8I8BBc0', blob, at)
    local after = at + 4 + size
    local one, outcome = stream(name), nil
    local due = math.max(one.last + 1, floor)
    if n <= one.last then outcome = earned(one, n)
    elseif n ~= due then outcome = due
    elseif count >= MESSAGES or bytes + after - body > BYTES then outcome = 'full'
    else
      local longest = now + MESSAGE_LIFE
      if expires == 0 or expires > longest then expires = longest end
      if expires < earliest then earliest = expires end
      last = math.max(last + 1, us)
      count = count + 1
      bytes = bytes + after - body
      one.last = n
      use(one)
      entries[#entries + 1] = struct.pack('>I8I8', last, expires) .. string.sub(blob, at + 20, after - 1)
      if #entries == 256 then
        redis.call('RPUSH', KEYS[2], unpack(entries))
        entries = {}
      end
      taken = taken + 1
    end
    if outcome then reply[#reply + 1] = outcome
    elseif #reply == 5 then reply[5] = taken
    else reply[#reply + 1] = 'ok' end
    at = after
  end
  if taken == 0 then return reply end
  wrote = true
  if #entries > 0 then redis.call('RPUSH', KEYS[2], unpack(entries)) end
  keep()
  redis.call('HSET', KEYS[1], 'last', last, 'bytes', bytes, 'earliest', earliest, 'uses', uses)
  reply[3] = sooner(math.min(tonumber(h[1]), earliest), h[8])
  return reply
end
local replies = {}
for client = 1, #ARGV - 1 do
  for key = 1, 4 do KEYS[key] = KEYS[client * 4 - 4 + key] end
  replies[client] = park(ARGV[client + 1])
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
local h = redis.call('HMGET', KEYS[1], 'token', 'lease', 'earliest', 'bytes', 'uses', 'given', 'before')
local after, limit, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
uses = tonumber(h[5])
local given, before = tonumber(h[6] or 0), tonumber(h[7] or 0)
local refusal = fenced(h[1], h[2]) or (after > given and 'forgotten')
if refusal then return refusal end
local lost = expire(after, tonumber(h[3]), tonumber(h[4]))
local entries, bytes, more, from = {}, 0, 0, first(after)
local head = redis.call('LINDEX', KEYS[2], 0)
repeat
  local part = redis.call('LRANGE', KEYS[2], from, from + 63)
  for _, entry in ipairs(part) do
    bytes = bytes + #entry - 34 - string.byte(entry, 34)
    if #entries == limit or (#entries > 0 and bytes > most) then
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

/** ARGV: token, lease, up to, whether that one is refused. Answers stream and n of the one refused. As for a page, so for what is above `given`. */
export const remove = `
insist()
local h = redis.call('HMGET', KEYS[1], 'token', 'lease', 'bytes', 'uses', 'given')
local upTo, refused, bytes, gone, lost = tonumber(ARGV[4]), ARGV[5] == '1', tonumber(h[3]), 0, {}
local refusal = fenced(h[1], h[2]) or (upTo > tonumber(h[5] or 0) and 'forgotten')
if refusal then return refusal end
uses = tonumber(h[4])
local before
repeat
  before = gone
  for _, entry in ipairs(redis.call('LRANGE', KEYS[2], gone, gone + 63)) do
    local s, ends, n, time, kind, name, body = struct.unpack(ENTRY, entry)
    if s > upTo then break end
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
if gone == 0 then return lost end
redis.call('LTRIM', KEYS[2], gone, -1)
keep()
redis.call('HSET', KEYS[1], 'bytes', bytes, 'uses', uses)
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('HSET', KEYS[1], 'earliest', NEVER) end
return lost
`

/** ARGV: stream. */
export const sync = `
insist()
local h = redis.call('HMGET', KEYS[1], 'expires', 'token')
if not found(h[1], h[2]) then return nil end
return redis.call('HGET', KEYS[3], ARGV[2])
`

export const touch = `
local h = redis.call('HMGET', KEYS[1], 'expires', 'token')
if found(h[1], h[2]) then redis.call('HSET', KEYS[1], 'expires', now + ID_LIFE) end
return 0
`

/**
 * ARGV: a lease that is known to have ended, or ''. Answers when to look here again, 0 for never; the lease of the owner, or ''; then stream and
 * n of what expired.
 */
export const sweep = `
local h = redis.call('HMGET', KEYS[1], 'expires', 'token', 'lease', 'earliest', 'bytes', 'uses')
if not h[1] then return {0, ''} end
insist()
local letter = redis.call('LINDEX', KEYS[4], 0)
while letter and struct.unpack('>I8', letter) <= now - DEAD_LIFE do
  redis.call('LPOP', KEYS[4])
  letter = redis.call('LINDEX', KEYS[4], 0)
end
if h[2] and h[3] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'due', now + MINUTE)
  return {now + MINUTE, h[3]}
end
if h[2] then
  redis.call('HDEL', KEYS[1], 'token', 'lease', 'node', 'nonce', 'outbox', 'attempt', 'resumed', 'previous')
end
local reply = {0, ''}
if tonumber(h[1]) <= now then
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
uses = tonumber(h[6])
local lost, _, earliest = expire(0, tonumber(h[4]), tonumber(h[5]))
for _, one in ipairs(lost) do reply[#reply + 1] = one end
local due = math.min(tonumber(h[1]), earliest)
if letter then due = math.min(due, struct.unpack('>I8', letter) + DEAD_LIFE) end
redis.call('HSET', KEYS[1], 'due', due)
reply[1] = due
return reply
`

/** Everything but what the connected client, if there is one, may have been sent: answers stream and n of each. */
export const discard = `
insist()
local h = redis.call('HMGET', KEYS[1], 'expires', 'token', 'bytes', 'uses', 'given')
if not found(h[1], h[2]) then return nil end
uses = tonumber(h[4])
-- The time of all of them has come.
now = NEVER
local lost = expire(h[2] and tonumber(h[5] or 0) or 0, 0, tonumber(h[3]))
return lost
`

export const clientRecord = `
local h = redis.call('HMGET', KEYS[1], 'expires', 'token', 'lease', 'node', 'bytes')
if not found(h[1], h[2]) then return nil end
local head, dead, oldest = redis.call('LINDEX', KEYS[2], 0), 0, 0
if head then local _, _, _, time = struct.unpack('>I8I8I8I8', head) oldest = time end
for _, letter in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  if struct.unpack('>I8', letter) > now - DEAD_LIFE then dead = dead + 1 end
end
return {h[4] or '', h[3] or '', redis.call('LLEN', KEYS[2]), tonumber(h[5]), oldest, tonumber(h[1]), dead}
`

/** ARGV: after, limit. */
export const view = `
local h = redis.call('HMGET', KEYS[1], 'expires', 'token')
if not found(h[1], h[2]) then return nil end
local from = first(tonumber(ARGV[2]))
return redis.call('LRANGE', KEYS[2], from, from + tonumber(ARGV[3]) - 1)
`

export const deadLetters = `
local h = redis.call('HMGET', KEYS[1], 'expires', 'token')
if not found(h[1], h[2]) then return nil end
local letters = {}
for _, letter in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  if struct.unpack('>I8', letter) > now - DEAD_LIFE then letters[#letters + 1] = string.sub(letter, 9) end
end
return letters
`
