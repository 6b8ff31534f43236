/** The operation that tells how the nodes of this server are. */
import { z } from 'zod'
import type { Store } from '../../store/store.ts'
import { forAdmins, route, type Route } from './route.ts'
import type { Gateway } from '../gateway.ts'

const MS_PER_SECOND = 1_000

const node = z.object({
  node: z.string().describe('Its name, made up at its start'),
  version: z.string(),
  uptime: z.number().describe('Seconds since its start'),
  store: z.string().describe('lmdb, redis or memory'),
  storeUp: z.boolean().describe('Whether the store did what it was asked last'),
  draining: z.boolean().describe('It is shutting down'),
  sessions: z.int().describe('Clients that are ready'),
  connections: z.record(z.string(), z.int()).describe('Live connections, by transport'),
  windowMessages: z.int().describe('Messages sent to clients and not acked'),
  heldBytes: z.int().describe('Bytes of messages that have no end yet'),
  lagMs: z.number().describe('How late the event loop is, 99th percentile of 5 s'),
  memoryBytes: z.int().describe('Memory of the process'),
})

export function nodeRoutes(gateway: Gateway, store: Store, version: string): readonly Route[] {
  return [
    route({
      ...forAdmins,
      method: 'GET',
      path: '/api/nodes',
      name: 'listNodes',
      text: 'Tells how the node is that was asked. Nodes that share a Redis are asked one by one.',
      answers: { 200: { text: 'The nodes.', schema: z.object({ nodes: z.array(node) }) } },
      answer: () => Promise.resolve({ status: 200, value: { nodes: [describe(gateway, store, version)] } }),
    }),
  ]
}

function describe(gateway: Gateway, store: Store, version: string): z.output<typeof node> {
  const { hub, counters, effects, draining, lagMs } = gateway
  return {
    node: hub.options.node,
    version,
    uptime: Math.round(process.uptime() * MS_PER_SECOND) / MS_PER_SECOND,
    store: store.name,
    storeUp: effects.up,
    draining,
    sessions: hub.stats.sessions,
    connections: { ...counters.connections },
    windowMessages: hub.windowMessages,
    heldBytes: hub.custody.bytes,
    lagMs: Math.round(lagMs),
    memoryBytes: process.memoryUsage.rss(),
  }
}
