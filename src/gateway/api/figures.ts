/**
 * How a node is, in figures: for whoever asks it, and for the other nodes on its store, to which it says them every 5 s.
 *
 * Rates are made of two readings by whoever wants them: `acceptedTotal` and `sentTotal` only grow while a node of that name lives, and `uptime` is
 * its own time at which they were so; no two clocks are compared.
 */
import { hostname } from 'node:os'
import { z } from 'zod'
import type { Store } from '../../store/store.ts'
import { readVersion } from '../../version.ts'
import type { Hub } from '../../core/hub.ts'
import type { Counters } from '../counters.ts'

const MS_PER_SECOND = 1_000

export const nodeFigures = z.object({
  node: z.string().describe('Its name, made up at its start'),
  host: z.string().describe('The name of the machine that it runs on'),
  version: z.string(),
  uptime: z.number().describe('Seconds since its start'),
  store: z.string().describe('lmdb, redis or memory'),
  storeUp: z.boolean().describe('Whether the store did what it was asked last'),
  draining: z.boolean().describe('It is shutting down'),
  sessions: z.int().describe('Clients that are ready'),
  connections: z.record(z.string(), z.int()).describe('Live connections, by transport'),
  windowMessages: z.int().describe('Messages sent to clients and not acked'),
  heldBytes: z.int().describe('Bytes of messages that have no end yet'),
  acceptedTotal: z.int().describe('Messages taken from senders since its start'),
  sentTotal: z.int().describe('Messages sent to recipients since its start'),
  lagMs: z.number().describe('How late the event loop is, 99th percentile of 5 s'),
  memoryBytes: z.int().describe('Memory of the process'),
})

export type NodeFigures = z.output<typeof nodeFigures>

const version = readVersion()

/** What of a node the figures are of. */
export interface Measured {
  readonly hub: Hub
  readonly counters: Counters
  readonly effects: { readonly up: boolean }
  readonly draining: boolean
  readonly lagMs: number
}

export function figuresOf({ hub, counters, effects, draining, lagMs }: Measured, store: Store): NodeFigures {
  const { stats } = hub
  return {
    node: hub.options.node,
    host: hostname(),
    version,
    uptime: Math.round(process.uptime() * MS_PER_SECOND) / MS_PER_SECOND,
    store: store.name,
    storeUp: effects.up,
    draining,
    sessions: stats.sessions,
    connections: { ...counters.connections },
    windowMessages: hub.windowMessages,
    heldBytes: hub.custody.bytes,
    acceptedTotal: stats.accepted,
    sentTotal: stats.sentLive + stats.sentParked,
    lagMs: Math.round(lagMs),
    memoryBytes: process.memoryUsage.rss(),
  }
}

/** What another node has said of itself; null: it is of a version that says something else. */
export function readFigures(text: string): NodeFigures | null {
  try {
    return nodeFigures.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
