/**
 * A Redis that was made a replica under a connection that stands: of another history, so what it has now says nothing of what is true.
 *
 * It still reads, and runs scripts until they write. A verdict from it would be for good: an address that is unknown, a client that was
 * replaced, a message that was delivered. So every call that gives one is refused instead.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRedisStore, type RedisStore } from '../../src/store/redis.ts'
import { Keys } from '../../src/store/redis/keys.ts'
import { createScripts } from '../../src/store/redis/scripts.ts'
import { defaultStoreLimits, StoreError } from '../../src/store/store.ts'
import { RedisServer } from '../support/redis.ts'
import {
  accountOf,
  bindRequest,
  hash,
  page,
  parcel,
  parcels,
  register,
  roomSettings,
  START,
  stream,
  tokenOf,
} from './support.ts'

let master: RedisServer
let other: RedisServer
let store: RedisStore
/** Of sessions that the new history knows nothing of, or too much. */
let bobs: string
let carols: string

/** What both histories have, each its own way: bob is of the first, carol of both, and dave of the second. */
beforeAll(async () => {
  master = await RedisServer.start()
  other = await RedisServer.start()
  store = await openRedisStore({ url: master.url })
  const later = await openRedisStore({ url: other.url })
  bobs = await register(store, 'bob')
  carols = await register(store, 'carol')
  await store.enqueue('bob', parcels(1, 3))
  await store.enqueue('carol', parcels(1, 2))
  await store.rooms.create('#hall', roomSettings())
  await store.accounts.add(accountOf('bob', 'old'))
  await register(later, 'carol')
  tokenOf(await later.bind(bindRequest('carol')))
  await later.enqueue('carol', parcels(1, 9))
  await register(later, 'dave')
  await later.rooms.create('#den', roomSettings())
  await later.rooms.append('#den', parcels(1, 5))
  await later.accounts.add(accountOf('dave', 'new'))
  await later.once.decide('dave', 'key', 'posted', 60_000)
  await later.accounts.revoke({ kind: 'token', value: 'x', time: START, expires: START * 2 })
  await later.close()
  await master.ask(`REPLICAOF 127.0.0.1 ${other.port}`)
  while ((await master.ask('EXISTS ackd:{dave}:box').catch(() => '')) !== ':1') await sleep(20)
}, 60_000)

afterAll(async () => {
  await store.close()
  await master.stop()
  await other.stop()
})

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  'that an address is unknown': () => store.enqueue('bob', [parcel(4)]),
  'that a message is stored already': () => store.enqueue('carol', [parcel(9)]),
  'that a number is missing': () => store.enqueue('carol', [parcel(12)]),
  'of several at once': () =>
    Promise.all([
      store.enqueue('bob', [parcel(4)]),
      store.enqueue('carol', [parcel(3)]),
      store.enqueue('erin', [parcel(1)]),
    ]),
  'that somebody who comes back is unknown': () => store.bind(bindRequest('bob')),
  'that a secret is wrong': () => {
    const proof = { kind: 'secret', hash: hash('another') } as const
    return store.bind(bindRequest('dave', { proof }))
  },
  'that an id is taken': () =>
    store.bind(bindRequest('dave', { create: true, proof: { kind: 'secret', hash: hash('another') } })),
  'that a session is forgotten': () => page(store, 'bob', bobs),
  'that a session was replaced': () => store.page('carol', carols, 0, 100, 1e6),
  'of a removal': () => store.remove('carol', carols, 1),
  'of a refusal': () => store.refuse('carol', carols, 1, 'spam'),
  'of a new secret': () => store.rotate('carol', carols, hash('next')),
  'of the end of a session': () => store.unbind('carol', carols, 0),
  'of what a mailbox has of a stream': () => store.sync('carol', stream),
  'of a stream to somebody who is unknown': () => store.sync('bob', stream),
  'that there is no such room': () => store.rooms.find('#hall'),
  'that nothing can be published there': () => store.rooms.append('#hall', [parcel(1)]),
  'that something was published': () => store.rooms.append('#den', [parcel(5)]),
  'of what a room took of a stream': () => store.rooms.taken('#den', stream),
  'of the log of a room': () => store.rooms.page('#den', { after: 0, limit: 10, maxBytes: 1e6 }),
  'that a room is there already': () => store.rooms.create('#den', roomSettings()),
  'that a room was gone before': () => store.rooms.delete('#hall', 'epoch'),
  'that there is no such account': () => store.accounts.find('bob'),
  'that an account is there already': () => store.accounts.add(accountOf('dave', 'other')),
  'that there is no account to change': () => store.accounts.change('bob', { password: 'newer' }),
  'that there is no account to remove': () => store.accounts.remove('bob'),
  'of what was revoked': () => store.accounts.revocations(0, 10),
  'of what was decided before': () => store.once.decide('dave', 'key', 'mine', 60_000),
  'of what was discarded': () => store.discard('bob'),
}

test.each(Object.keys(calls))('no word from it %s', async name => {
  await expect(calls[name]?.()).rejects.toBeInstanceOf(StoreError)
})

// The index that a sweep takes out what is no more is another server's affair in a cluster, which would believe it.
test.each([
  ['a client', 'sweep', new Keys('ackd:').client('bob')],
  ['a room', 'sweepRoom', new Keys('ackd:').room('#hall')],
] as const)('no word from it that %s is no more', async (_, name, keys) => {
  const { sha } = createScripts(defaultStoreLimits)[name]
  expect(await master.ask(`EVALSHA ${sha} ${keys.length} ${keys.join(' ')} "" ""`)).toMatch(/^-READONLY/)
})
