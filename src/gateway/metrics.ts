/**
 * The counters of the core and the shell, in the form that Prometheus reads. Nothing is done for it until somebody asks: then the
 * plain integers are copied. No label names a client, so their number is small and known.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Hub } from '../core/hub.ts'
import { ackBucketsMs, type Histogram } from '../core/stats.ts'
import type { CallStats, StoreEffects } from './effects.ts'
import type { Gateway } from './gateway.ts'

const MS_PER_SECOND = 1_000
const US_PER_SECOND = 1e6

export interface Metrics {
  readonly contentType: string
  /** All that a node counts, as it stands now. */
  text(): Promise<string>
}

export function createMetrics(gateway: Gateway): Metrics {
  const sheet = new Sheet()
  addConnections(sheet, gateway)
  addMessages(sheet, gateway.hub)
  addStore(sheet, gateway.effects)
  addProcess(sheet, gateway)
  return sheet
}

function addConnections(sheet: Sheet, { counters, unread, hub: { stats } }: Gateway): void {
  sheet.gauge('ackd_connections', 'Live connections.', 'transport', () => counters.connections)
  sheet.gauge('ackd_sessions', 'Clients that are ready.', '', () => stats.sessions)
  sheet.counter('ackd_closes_total', 'Connections closed by the server.', 'reason', () => ({ ...counters.closes }))
  sheet.counter('ackd_takeovers_total', 'Sessions replaced by a newer one.', '', () => stats.takeovers)
  sheet.counter('ackd_frames_limited_total', 'Frames refused for their rate.', '', () => counters.framesLimited)
  sheet.counter('ackd_http_limited_total', 'HTTP requests refused for their rate.', '', () => counters.requestsLimited)
  sheet.counter('ackd_origins_refused_total', 'Web pages not let in.', '', () => counters.originsRefused)
  sheet.counter('ackd_writes_dropped_total', 'Connections lost to a dropped write.', '', () => counters.writesDropped)
  sheet.gauge('ackd_unread_bytes', 'Bytes written that clients have not read.', '', () => unread.bytes)
  sheet.counter('ackd_posts_total', 'Messages posted over HTTP.', 'outcome', () => ({ ...counters.posts }))
  sheet.counter('ackd_packets_total', 'Packets read and written.', 'direction', () => {
    return { in: counters.packetsIn, out: counters.packetsOut }
  })
  sheet.counter('ackd_bytes_total', 'Bytes of packets read and written.', 'direction', () => {
    return { in: counters.bytesIn, out: counters.bytesOut }
  })
}

function addMessages(sheet: Sheet, hub: Hub): void {
  const { stats } = hub
  sheet.counter('ackd_accepted_total', 'Messages taken from senders.', '', () => stats.accepted)
  sheet.counter('ackd_messages_total', 'Messages taken from senders, by how they ended.', 'outcome', () => {
    const { delivered, stored, retried, failed, rejected, expired, dead } = stats
    return { delivered, stored, retry: retried, failed, rejected, expired, dead }
  })
  sheet.counter('ackd_sent_total', 'Messages sent to recipients.', 'path', () => {
    return { live: stats.sentLive, drain: stats.sentParked }
  })
  sheet.counter('ackd_published_total', 'Messages on their way into the logs of rooms.', '', () => stats.published)
  sheet.counter('ackd_fanned_out_total', 'Messages of rooms told to members.', '', () => stats.fannedOut)
  sheet.counter('ackd_drained_total', 'Messages from mailboxes that were acked.', '', () => stats.drained)
  sheet.counter(
    'ackd_ack_timeouts_total',
    'Sessions that ended because nothing was acked.',
    '',
    () => stats.ackTimeouts,
  )
  sheet.counter('ackd_parked_total', 'Messages that took the way through a mailbox.', 'reason', () => ({
    ...stats.parked,
  }))
  sheet.gauge('ackd_window_messages', 'Messages sent and not acked.', '', () => hub.windowMessages)
  sheet.gauge('ackd_remembered_streams', 'Ends of streams that are remembered.', '', () => hub.remembered.size)
  sheet.gauge('ackd_held_bytes', 'Bytes of messages that have no end yet.', '', () => hub.custody.bytes)
  sheet.histogram('ackd_delivery_seconds', 'From accepting a message to its ack.', 'path', () => {
    return { live: stats.deliveryMs, drain: stats.drainDeliveryMs }
  })
  sheet.histogram('ackd_ack_seconds', 'From sending a message to its ack.', 'path', () => {
    return { live: stats.ackMs, drain: stats.drainAckMs }
  })
}

function addStore(sheet: Sheet, effects: StoreEffects): void {
  const each = <Value>(read: (calls: CallStats) => Value): Record<string, Value> =>
    Object.fromEntries(Object.entries(effects.stats).map(([op, calls]) => [op, read(calls)]))
  sheet.gauge('ackd_store_up', 'Whether the store answered the last call.', '', () => (effects.up ? 1 : 0))
  sheet.histogram('ackd_store_seconds', 'Calls of the store.', 'op', () => each(calls => calls.ms))
  sheet.counter('ackd_store_failures_total', 'Calls of the store without an answer.', 'op', () => {
    return each(calls => calls.failures)
  })
}

function addProcess(sheet: Sheet, gateway: Gateway): void {
  const { counters } = gateway
  sheet.gauge('ackd_eventloop_lag_seconds', 'How late the event loop is, 99th percentile of 5 s.', '', () => {
    return gateway.lagMs / MS_PER_SECOND
  })
  sheet.gauge('ackd_draining', 'Whether the server is shutting down.', '', () => (gateway.draining ? 1 : 0))
  sheet.counter('ackd_exceptions_total', 'Faults of this program.', '', () => counters.exceptions)
  sheet.gauge('process_resident_memory_bytes', 'Memory of the process.', '', () => process.memoryUsage.rss())
  sheet.counter('process_cpu_seconds_total', 'Processor time of the process.', '', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / US_PER_SECOND
  })
}

/** One number, or one for each value of the label. */
type Reading = number | Readonly<Record<string, number>>
type Histograms = Readonly<Record<string, Histogram>>

interface HistogramMetric {
  readonly name: string
  readonly help: string
  readonly label: string
  readonly read: () => Histograms
}

/** Metrics that are read when they are asked for. A metric has one label, or none: ''. */
class Sheet implements Metrics {
  readonly #registry = new Registry()
  readonly #histograms: HistogramMetric[] = []

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    const rest = await this.#registry.metrics()
    return [rest, ...this.#histograms.map(writeHistogram), ''].join('\n')
  }

  counter(name: string, help: string, label: string, read: () => Reading): void {
    const collect = function (this: Counter): void {
      this.reset()
      for (const [labels, value] of samples(label, read())) this.inc(labels, value)
    }
    this.#registry.registerMetric(new Counter({ name, help, labelNames: names(label), registers: [], collect }))
  }

  gauge(name: string, help: string, label: string, read: () => Reading): void {
    const collect = function (this: Gauge): void {
      this.reset()
      for (const [labels, value] of samples(label, read())) this.set(labels, value)
    }
    this.#registry.registerMetric(new Gauge({ name, help, labelNames: names(label), registers: [], collect }))
  }

  histogram(name: string, help: string, label: string, read: () => Histograms): void {
    this.#histograms.push({ name, help, label, read })
  }
}

function names(label: string): string[] {
  return label === '' ? [] : [label]
}

function samples(label: string, reading: Reading): (readonly [labels: Record<string, string>, value: number])[] {
  if (typeof reading === 'number') return [[{}, reading]]
  return Object.entries(reading).map(([name, value]) => [{ [label]: name }, value])
}

/**
 * A histogram in the text form of Prometheus. Written here, since the histograms of prom-client can only be filled by observing one
 * value after the other.
 */
function writeHistogram({ name, help, label, read }: HistogramMetric): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
  for (const [value, { counts, sum }] of Object.entries(read())) {
    const labels = `${label}="${value}"`
    let total = 0
    for (const [i, count] of counts.entries()) {
      const bound = ackBucketsMs[i]
      total += count
      lines.push(`${name}_bucket{${labels},le="${bound === undefined ? '+Inf' : bound / MS_PER_SECOND}"} ${total}`)
    }
    lines.push(`${name}_sum{${labels}} ${sum / MS_PER_SECOND}`, `${name}_count{${labels}} ${total}`)
  }
  return lines.join('\n')
}
