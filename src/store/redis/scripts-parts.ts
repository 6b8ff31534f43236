/**
 * The helpers of the scripts in Lua, each taken along only by those that use it: a function of Lua is made anew by every call.
 * `scripts-mailbox.ts` says what the keys hold.
 */

export const parts = {
  entry: `
local ENTRY = '>I8I8I8I8BBc0'
`,
  // Whatever parking has to know of a client is in one hash, and the numbers of it in one value of fixed width, since in Redis reading
  // and writing a field costs more than the rest, and a number more as text.
  state: `
local STATE = '>I8I8I8I8I8I8I4'
local owner, expires, last, bytes, earliest, due, uses, count
local function opened(kept, by)
  owner = by
  if not kept then return false end
  expires, last, bytes, earliest, due, uses, count = struct.unpack(STATE, kept)
  return owner or expires > now
end
local function open()
  local kept = redis.call('HMGET', KEYS[3], 'state', 'owner')
  return opened(kept[1], kept[2])
end
local function state() return struct.pack(STATE, expires, last, bytes, earliest, due, uses, count) end
local function save() redis.call('HSET', KEYS[3], 'state', state()) end
`,
  // The lease and the node of the owner; false without one.
  holder: `
local function holder()
  if not owner then return false, false end
  return string.match(owner, '^(%S*) (.*)$')
end
`,
  release: `
local function release()
  redis.call('HDEL', KEYS[1], 'token', 'nonce', 'outbox', 'attempt', 'resumed', 'previous')
  redis.call('HDEL', KEYS[3], 'owner')
  owner = false
end
`,
  fenced: `
local function fenced(token)
  if token == ARGV[2] and holder() == ARGV[3] then return false end
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
  // Whose mailbox ends sooner than the index knows is told to it by the caller. What is written then is the state.
  sooner: `
local function sooner(at)
  if at >= due then return 0 end
  due = at
  return at
end
`,
  // The index in the list of the first message after a place.
  first: `
local function first(after)
  local head = redis.call('LINDEX', KEYS[2], 0)
  if not head or struct.unpack('>I8', head) > after then return 0 end
  local low, high = 1, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    if struct.unpack('>I8', redis.call('LINDEX', KEYS[2], middle)) > after then high = middle else low = middle + 1 end
  end
  return low
end
`,
  // A stream as it is known, and the writing down of those that were used, and of other fields of their hash. A quarter more than the
  // limit may be there, so that forgetting is rare. In the hash of a mailbox are two fields besides them, and no stream is called so.
  streams: `
local EXPIRED, DEAD_LETTER, REJECTED = 2, 3, 1
local known, fresh = {}, false
local function learnt(kept)
  if not kept then return {last = 0, delivered = 0, lost = '', new = true, used = false} end
  local last, delivered = struct.unpack('>I8I8', kept)
  return {last = last, delivered = delivered, lost = string.sub(kept, 25), new = false, used = false}
end
local function stream(name)
  local one = known[name] or learnt(redis.call('HGET', KEYS[3], name))
  known[name] = one
  return one
end
local function use(one)
  uses = uses + 1
  one.used = uses
  fresh = fresh or one.new
end
local function forget()
  local all, byUse = redis.call('HGETALL', KEYS[3]), {}
  for i = 1, #all, 2 do
    if all[i] ~= 'state' and all[i] ~= 'owner' then
      local _, _, used = struct.unpack('>I8I8I8', all[i + 1])
      byUse[#byUse + 1] = {all[i], used}
    end
  end
  table.sort(byUse, function(a, b) return a[2] < b[2] end)
  for i = 1, #byUse - STREAMS do redis.call('HDEL', KEYS[3], byUse[i][1]) end
end
local function record(one)
  if one.more then one.lost = string.sub(one.lost .. table.concat(one.more), -9 * LOST) end
  one.more = nil
  return struct.pack('>I8I8I8', one.last, one.delivered, one.used) .. one.lost
end
local function keep(fields)
  for name, one in pairs(known) do
    if one.used then
      fields[#fields + 1] = name
      fields[#fields + 1] = record(one)
    end
    if #fields >= 1000 then
      redis.call('HSET', KEYS[3], unpack(fields))
      fields = {}
    end
  end
  if #fields > 0 then redis.call('HSET', KEYS[3], unpack(fields)) end
  if fresh and redis.call('HLEN', KEYS[3]) > STREAMS * 1.25 then forget() end
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
  // Turns what has expired after a place into voids. Answers stream and n of each.
  expire: `
local function expire(after)
  local lost = {}
  if earliest > now then return lost end
  insist()
  local from = 0
  earliest = NEVER
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
      elseif kind < 2 and ends < earliest then earliest = ends end
    end
    from = from + 64
  until #part < 64
  keep({'state', state()})
  return lost
end
`,
} as const
