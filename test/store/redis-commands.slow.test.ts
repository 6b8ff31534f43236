/**
 * No command, and no option of one, that Redis 6.2 lacks: what the store says to a real Redis is heard, what its scripts can say is read, and the
 * Redis that is there is asked since when there is each of it.
 *
 * Redis 6.2 itself cannot be had everywhere, so this stands for it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createScripts } from '../../src/store/redis/scripts.ts'
import { openRedisStore, type RedisStore } from '../../src/store/redis.ts'
import { defaultStoreLimits } from '../../src/store/store.ts'
import { root } from '../support/sources.ts'
import { RedisServer } from '../support/redis.ts'
import { accountOf, bindRequest, hash, page, parcels, register, roomSettings, START, stream } from './support.ts'

const OLDEST = [6, 2, 0]

/** What scripts have besides the commands, and since when, by the documentation of Redis: no server tells. */
const functionsSince: Readonly<Record<string, string>> = {
  call: '2.6',
  pcall: '2.6',
  error_reply: '2.6',
  set_repl: '3.2',
  REPL_ALL: '3.2',
  REPL_NONE: '3.2',
}

/** A command as it is said: its name, and the words that may be options of it. */
type Said = readonly [name: string, ...words: string[]]

/** What `COMMAND DOCS` tells, as lists of names and values by turns. */
type Docs = readonly unknown[]

let server: RedisServer
let asked: Redis
let store: RedisStore
let docs: ReadonlyMap<string, Docs>

beforeAll(async () => {
  server = await RedisServer.start()
  asked = new Redis(server.port)
  const all = (await asked.call('COMMAND', 'DOCS')) as unknown[]
  docs = new Map(pairs(all).map(([name, about]) => [String(name).toLowerCase(), about as Docs]))
})

afterAll(async () => {
  await store.close()
  asked.disconnect()
  await server.stop()
})

function pairs(list: Docs): (readonly [unknown, unknown])[] {
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]])
}

function field(about: Docs, name: string): unknown {
  return pairs(about).find(([key]) => key === name)?.[1]
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isNewer(since: unknown): boolean {
  const parts = String(since).split('.').map(Number)
  const first = OLDEST.findIndex((part, i) => part !== (parts[i] ?? 0))
  return first >= 0 && (parts[first] ?? 0) > (OLDEST[first] ?? 0)
}

/** Options by their words, each with the version that brought it, or that which brought what it is a part of. */
function optionsOf(about: Docs): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (list: unknown, since: string): void => {
    if (!Array.isArray(list)) return
    for (const one of list as Docs[]) {
      const own = word(field(one, 'since')) || since
      const token = word(field(one, 'token'))
      if (token !== '') found.set(token.toUpperCase(), own)
      visit(field(one, 'arguments'), own)
    }
  }
  visit(field(about, 'arguments'), String(field(about, 'since')))
  return found
}

/** What of a command is newer than the oldest Redis. */
function newerIn([name, ...words]: Said): string[] {
  const whole = docs.get(name.toLowerCase())
  if (whole === undefined) return [`${name} is not known here`]
  const parts = field(whole, 'subcommands')
  const sub = Array.isArray(parts)
    ? pairs(parts).find(([part]) => part === `${name}|${words[0]}`.toLowerCase())
    : undefined
  const about = sub === undefined ? whole : (sub[1] as Docs)
  const said = sub === undefined ? name : `${name} ${words[0] ?? ''}`
  const options = optionsOf(about)
  const newer = isNewer(field(about, 'since')) ? [said] : []
  for (const word of words) if (isNewer(options.get(word.toUpperCase()) ?? '0')) newer.push(`${said} … ${word}`)
  return newer
}

/** Everything that is said to Redis while the store does all that it does. */
async function hear(work: () => Promise<void>): Promise<Said[]> {
  const monitor = await asked.monitor()
  const said: Said[] = []
  monitor.on('monitor', (_time: string, [name = '', ...words]: string[]) => void said.push([name, ...words]))
  await work()
  await asked.ping('the end')
  await expect
    .poll(() => said.some(([name, word]) => name === 'ping' && word === 'the end'), { timeout: 10_000 })
    .toBe(true)
  monitor.disconnect()
  return said.filter(([name, word]) => !(name === 'ping' && word === 'the end'))
}

async function work(): Promise<void> {
  store = await openRedisStore({ url: server.url })
  const token = await register(store, 'bob')
  await store.enqueue('bob', parcels(1, 3))
  const { entries } = await page(store, 'bob', token)
  await store.remove('bob', token, entries[0]?.s ?? 0)
  await store.refuse('bob', token, entries[1]?.s ?? 0, 'spam')
  await store.sync('bob', stream)
  await store.rotate('bob', token, hash('next'))
  await store.touch(['bob'])
  await store.online(['bob'])
  await store.view('bob', 0, 10)
  await store.client('bob')
  await store.unbind('bob', token, entries[2]?.s ?? 0)
  await store.bind(bindRequest('bob'))
  await store.discard('bob')
  await store.deadLetters('bob')
  await store.mailboxes('', 10)
  await store.once.decide('bob', 'key', 'value', 60_000)
  const settings = roomSettings()
  await store.rooms.create('#den', settings)
  await store.rooms.append('#den', parcels(1, 3))
  await store.rooms.page('#den', { after: 0, limit: 10, maxBytes: 1e6 })
  await store.rooms.list('', 10, true)
  await store.rooms.taken('#den', stream)
  await store.rooms.delete('#den', settings.epoch)
  await store.accounts.add(accountOf('bob', 'old'))
  await store.accounts.find('bob')
  await store.accounts.list('', 10)
  await store.accounts.change('bob', { password: 'new' })
  await store.accounts.remove('bob')
  await store.accounts.revoke({ kind: 'token', value: 'x', time: START, expires: START * 2 })
  await store.accounts.revocations(0, 10)
  await store.sweep()
  await store.check()
}

/** What scripts can say, by their text: the literal words of each call. */
function saidByScripts(): Said[] {
  return Object.values(createScripts(defaultStoreLimits)).flatMap(({ source }) =>
    [...source.matchAll(/redis\.call\(([^\n]*)/g)].map(([, rest = '']): Said => {
      const [name = '', ...words] = [...rest.matchAll(/'([^']*)'/g)].map(([, word = '']) => word)
      return [name, ...words]
    }),
  )
}

/** What the store sends without a script, by its text; some of it only in a cluster, or when something is wrong. */
function sentByName(): Said[] {
  const folder = join(root, 'src/store/redis')
  const text = [...readdirSync(folder).map(file => join(folder, file)), `${folder}.ts`]
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
  const sent = [...text.matchAll(/\.(?:send|write)\('(\w+)'((?:, '\w+')*)/g)].map(([, name = '', rest = '']): Said => {
    return [name, ...[...rest.matchAll(/'(\w+)'/g)].map(([, word = '']) => word)]
  })
  const called = [...text.matchAll(/server\.(client|config|script)\('(\w+)'/g)].map(
    ([, name = '', word = '']): Said => [name, word],
  )
  return [...sent, ...called]
}

test('what is newer is found', () => {
  expect(newerIn(['FUNCTION', 'LOAD'])).toEqual(['FUNCTION LOAD'])
  expect(newerIn(['EXPIRE', 'key', '1', 'NX'])).toEqual(['EXPIRE … NX'])
  expect(newerIn(['ZADD', 'key', 'LT', '1', 'x'])).toEqual([])
  expect(newerIn(['LMPOP'])).toEqual(['LMPOP'])
})

test('what the store says is in Redis 6.2', async () => {
  const said = await hear(work)
  const names = said.map(([name]) => name.toLowerCase())
  expect(names).toEqual(expect.arrayContaining(['evalsha', 'info', 'script', 'hmget', 'rpush', 'zadd', 'publish']))
  expect([...new Set(said.flatMap(newerIn))]).toEqual([])
})

test('what the store can say is in Redis 6.2', () => {
  const said = [...saidByScripts(), ...sentByName()]
  expect(said.length).toBeGreaterThan(100)
  expect([...new Set(said.flatMap(newerIn))]).toEqual([])
})

test('no script uses a flag of Redis 7, or a function that Redis 6.2 lacks', () => {
  expect(Object.values(functionsSince).filter(isNewer)).toEqual([])
  const sources = Object.values(createScripts(defaultStoreLimits)).map(({ source }) => source)
  const functions = new Set(sources.flatMap(source => [...source.matchAll(/redis\.(\w+)/g)].map(([, name]) => name)))
  expect([...functions].filter(name => name === undefined || !(name in functionsSince))).toEqual([])
  expect(sources.filter(source => source.startsWith('#!'))).toEqual([])
})
