/** Operations on clients: who there is, what is parked for them, and to send one away. */
import { z } from 'zod'
import type { Entry } from '../../protocol/mailbox.ts'
import { splitStream } from '../../protocol/mailbox.ts'
import { decodeBody, toJson } from '../../protocol/values.ts'
import type { ClientRecord, Store } from '../../store/store.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { clientId, limitOf, next, numberInQuery, pageQuery, placeInPath, time, unknownClient } from './shapes.ts'
import { asked } from './asking.ts'
import { ClientConnection } from '../connection.ts'
import type { Gateway } from '../gateway.ts'

const id = z.strictObject({ id: clientId })
const flag = z.literal('true', 'give true, or leave it out').optional()

const client = z.object({
  id: clientId,
  node: z.string().nullable().describe('The node that it is connected to; null: to none'),
  parked: z.int().describe('Messages in its mailbox'),
  bytes: z.int().describe('Bytes of their bodies'),
  oldest: time.describe('When the oldest of them was accepted, in ms since the Unix epoch; 0 for none'),
  expires: time.describe('When the id lapses if it stays unused, in ms since the Unix epoch'),
  deadLetters: z.int().describe('Dead letters that are kept'),
})

const connection = z.object({
  transport: z.string().describe('ws, tcp or tls'),
  address: z.string().describe('Network address of the peer'),
  sinceMs: z.int().describe('For how many ms it has been there'),
  outbox: z.string().describe('The name of its outbox'),
  windowMessages: z.int().describe('Messages sent to it and not acked'),
})

const entry = z.object({
  place: z.int().describe('Its place in the mailbox; give the last one as `after` for the next page'),
  from: z.string(),
  outbox: z.string(),
  n: z.int().describe('Its number in its stream: sender, outbox and recipient'),
  time,
  bytes: z.int().describe('Of its body'),
  reason: z.string().nullable().describe('Why it is a void, which only keeps its number: rejected, expired or dead'),
  repeated: z.boolean().describe('It may have been sent to its recipient before'),
})

export function clientRoutes(gateway: Gateway, store: Store): readonly Route[] {
  return [
    listClients(gateway, store),
    getClient(gateway, store),
    getMailbox(store),
    getParked(store),
    discardMailbox(gateway, store),
    kickClient(gateway, store),
  ]
}

function listClients({ hub }: Gateway, store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/clients',
    name: 'listClients',
    text: 'Lists clients by id: those that are connected to this node, and those for whom something is parked. A client that is neither is found by its id alone.',
    query: z.strictObject({
      ...pageQuery,
      online: flag.describe('Only those connected to this node'),
      parked: flag.describe('Only those for whom something is parked'),
    }),
    answers: { 200: { text: 'A page of clients.', schema: z.object({ clients: z.array(client), next }) } },
    errors: ['unavailable'],
    async answer({ query }) {
      const limit = limitOf(query.limit)
      const after = query.after ?? ''
      if (query.online !== undefined && query.parked !== undefined)
        throw new ApiError('bad_request', 'query: give online or parked, not both.')
      const here = query.parked === undefined ? firstAfter(hub.ids(), after, limit) : []
      const parked = query.online === undefined ? await asked(store.mailboxes(after, limit)) : []
      const known = new Map(parked.map(record => [record.id, record]))
      const ids = [...new Set([...here, ...known.keys()])].sort().slice(0, limit)
      const found = await Promise.all(ids.map(async one => known.get(one) ?? (await asked(store.client(one)))))
      const more = ids.length === limit
      return {
        status: 200,
        value: { clients: found.filter(record => record !== null), next: more ? (ids.at(-1) ?? null) : null },
      }
    },
  })
}

/** The first `limit` of the ids after `after`, in order, without sorting all of them. */
function firstAfter(ids: Iterable<string>, after: string, limit: number): readonly string[] {
  let first: string[] = []
  for (const one of ids) {
    if (one <= after) continue
    first.push(one)
    if (first.length >= limit * 2) first = first.sort().slice(0, limit)
  }
  return first.sort().slice(0, limit)
}

function getClient(gateway: Gateway, store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/clients/:id',
    name: 'getClient',
    text: 'Tells what is known of a client: where it is connected, what waits for it, and of its connection, if that is at this node.',
    params: id,
    answers: {
      200: { text: 'The client.', schema: client.extend({ connection: connection.nullable() }) },
    },
    errors: ['not_found', 'unavailable'],
    async answer({ params }) {
      const record = await known(store, params.id)
      return { status: 200, value: { ...record, connection: connectionOf(gateway, params.id) } }
    },
  })
}

async function known(store: Store, one: string): Promise<ClientRecord> {
  const record = await asked(store.client(one))
  if (record === null) throw unknownClient(one)
  return record
}

function connectionOf({ hub, clock }: Gateway, one: string): z.output<typeof connection> | null {
  const session = hub.session(one)
  if (session === undefined || !(session.connection instanceof ClientConnection)) return null
  const { pipe, acceptedAt } = session.connection
  return {
    transport: pipe.transport,
    address: pipe.address,
    sinceMs: Math.round(Math.max(0, clock.now - acceptedAt)),
    outbox: session.outbox,
    windowMessages: session.receiving?.windowSize ?? 0,
  }
}

function getMailbox(store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/clients/:id/mailbox',
    name: 'getMailbox',
    text: 'Shows what is parked for a client, oldest first, without the bodies. Looking takes nothing away.',
    params: id,
    query: z.strictObject({
      after: numberInQuery(0, Number.MAX_SAFE_INTEGER).describe('Only what comes after this place'),
      limit: pageQuery.limit,
    }),
    answers: {
      200: {
        text: 'A page of the mailbox.',
        schema: z.object({
          messages: z.array(entry),
          next: z.int().nullable().describe('Give it as `after` for the next page; null when this is the last one'),
        }),
      },
    },
    errors: ['not_found', 'unavailable'],
    async answer({ params, query }) {
      const limit = limitOf(query.limit)
      await known(store, params.id)
      const entries = await asked(store.view(params.id, query.after ?? 0, limit))
      const next = entries.length === limit ? (entries.at(-1)?.s ?? null) : null
      return { status: 200, value: { messages: entries.map(shown), next } }
    },
  })
}

function getParked(store: Store): Route {
  return route({
    ...forAdmins,
    method: 'GET',
    path: '/api/clients/:id/mailbox/:place',
    name: 'getParkedMessage',
    text: 'Shows one message that is parked for a client, with its body. Looking takes nothing away. The audit log notes who looked, and at which place.',
    params: z.strictObject({ id: clientId, place: placeInPath.describe('Its place in the mailbox') }),
    answers: {
      200: {
        text: 'The message.',
        schema: entry.extend({
          body: z
            .unknown()
            .describe(
              'As JSON: bytes are {"$bin": "base64"}, integers beyond 2^53 {"$int": "decimal"}; null for a void, too',
            ),
        }),
      },
    },
    errors: ['not_found', 'unavailable'],
    async answer({ params: { id, place } }) {
      await known(store, id)
      const [found] = await asked(store.view(id, place - 1, 1))
      if (found?.s !== place)
        throw new ApiError('not_found', `Nothing is parked for ${id} at place ${place}; it may have been delivered.`)
      const body = found.body === null ? null : toJson(decodeBody(found.body))
      return { status: 200, value: { ...shown(found), body } }
    },
  })
}

function discardMailbox({ hub, turn }: Gateway, store: Store): Route {
  return route({
    ...forAdmins,
    method: 'DELETE',
    path: '/api/clients/:id/mailbox',
    name: 'discardMailbox',
    text: 'Discards what is parked for a client, for good. Its senders are told `expired`, and the client is told that these numbers will not come. What a connected client may have been sent already is left to its ack; send it away first to discard that too.',
    params: id,
    answers: {
      200: { text: 'How many messages were discarded.', schema: z.object({ discarded: z.int() }) },
    },
    errors: ['not_found', 'unavailable'],
    async answer({ params }) {
      await known(store, params.id)
      const lost = await asked(store.discard(params.id))
      turn.begin()
      hub.news.told(lost)
      hub.posted(params.id, null)
      return { status: 200, value: { discarded: lost.length } }
    },
  })
}

function shown({ s, stream, n, time, body, reason, repeated }: Entry): z.output<typeof entry> {
  const [from, outbox] = splitStream(stream)
  const bytes = body === null ? 0 : body.end - body.start
  return { place: s, from, outbox, n, time, bytes, reason: reason === '' ? null : reason, repeated }
}

function kickClient({ hub, turn }: Gateway, store: Store): Route {
  return route({
    ...forAdmins,
    method: 'POST',
    path: '/api/clients/:id/kick',
    name: 'kickClient',
    text: 'Closes the connection of a client with `kicked`. What it has not acked is parked, in order, and waits for its next connection; client libraries do not come back by themselves after it.',
    params: id,
    answers: {
      200: {
        text: 'Whether there was a connection to close.',
        schema: z.object({ kicked: z.boolean() }),
      },
    },
    errors: ['not_found', 'conflict', 'unavailable'],
    async answer({ params }) {
      turn.begin()
      if (hub.kick(params.id)) return { status: 200, value: { kicked: true } }
      const { node } = await known(store, params.id)
      if (node === null || node === hub.options.node) return { status: 200, value: { kicked: false } }
      throw new ApiError('conflict', `The client is connected to node ${node}; ask that node to close its connection.`)
    },
  })
}
