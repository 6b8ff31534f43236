/** The results as pages that people read. */
import type { Compared } from './comparison.ts'
import type { Idle, Latency, Parking, Percentiles, Throughput } from './load.ts'
import type { Transport } from './pipe.ts'

/** What was measured where, the same on every page. */
export interface Heading {
  readonly date: string
  readonly machine: string
  readonly cores: string
  readonly repeats: number
  readonly bytes: number
}

export interface Results extends Heading {
  readonly transport: Transport
  readonly throughput: readonly (Throughput & { readonly clients: number; readonly window: number })[]
  readonly latency: readonly (Latency & { readonly asked: number })[]
  /** To a room of so many; the figures are those of a delivery. */
  readonly members: number
  readonly room: readonly (Throughput & { readonly ahead: number })[]
  readonly idle: Idle
  readonly parking: Parking
}

/** As people name them. */
const names: Readonly<Record<Transport, string>> = { ws: 'WebSocket', tcp: 'TCP', tls: 'TLS' }

function head(results: Heading): string {
  return `# Measured ${results.date.slice(0, 10)}

${results.machine}; ${results.cores}; bodies of ${results.bytes} bytes; medians of ${results.repeats}.
One message: sent, delivered, acked by the recipient, receipted to the sender.`
}

export function report(results: Results): string {
  const { idle, parking } = results
  return `${head(results)}
Over ${names[results.transport]}.

| clients | window | messages/s | server CPU µs per message | retries |
| ---: | ---: | ---: | ---: | ---: |
${results.throughput.map(row => `| ${row.clients} | ${row.window} | ${row.perSecond} | ${row.cpu.toFixed(2)} | ${row.retries} |`).join('\n')}

At a fixed rate, 100 clients; µs from when a message was due: p50 / p99 / p99.9.

| asked/s | messages/s | server CPU µs per message | until delivered | until receipted |
| ---: | ---: | ---: | ---: | ---: |
${results.latency.map(row => `| ${row.asked} | ${row.perSecond} | ${row.cpu.toFixed(2)} | ${three(row.delivery)} | ${three(row.receipt)} |`).join('\n')}

To a room of ${results.members}, every message in the log before it is told.

| messages on their way | deliveries/s | server CPU µs per delivery |
| ---: | ---: | ---: |
${results.room.map(row => `| ${row.ahead} | ${row.perSecond} | ${row.cpu.toFixed(2)} |`).join('\n')}

| what | figure |
| --- | ---: |
| memory of an idle connection (${idle.connections} of them) | ${(idle.bytes / 1024).toFixed(1)} KiB |
| connections/s, hello and welcome included; server CPU, and of one who comes back | ${idle.perSecond}; ${idle.cpu.toFixed(0)} and ${idle.back.toFixed(0)} µs |
| messages parked/s; server CPU | ${parking.park.perSecond}; ${parking.park.cpu.toFixed(2)} µs |
| messages drained/s; server CPU | ${parking.drain.perSecond}; ${parking.drain.cpu.toFixed(2)} µs |
`
}

/** Every transport in a column of its own. */
export function sideBySide(results: Heading & Compared): string {
  const { columns } = results
  const row = (what: string, of: (column: Compared['columns'][number]) => string): string =>
    `| ${what} | ${columns.map(of).join(' | ')} |\n`
  const table = (title: string, rows: readonly string[]): string =>
    `| ${title} | ${columns.map(({ transport }) => names[transport]).join(' | ')} |\n` +
    `| --- |${' ---: |'.repeat(columns.length)}\n${rows.join('')}`
  const loads = (figure: (run: Throughput) => string): string[] =>
    results.loads.map(({ clients, window }, i) =>
      row(`${clients} clients, window ${window}`, ({ throughput }) => figure(throughput[i]!)),
    )
  return `${head(results)}

${table(
  'server CPU, µs per message',
  loads(({ cpu }) => cpu.toFixed(2)),
)}
${table(
  'messages/s',
  loads(({ perSecond, retries }) => `${perSecond}${retries > 0 ? `, ${retries} retries` : ''}`),
)}
${table(`idle connections (${columns[0]?.idle.connections ?? 0} of them)`, [
  row('memory of one, KiB', ({ idle }) => (idle.bytes / 1024).toFixed(1)),
  row('handshakes/s, hello and welcome included', ({ idle }) => String(idle.perSecond)),
  row('server CPU of one handshake, µs', ({ idle }) => idle.cpu.toFixed(0)),
  row('of one who comes back, µs', ({ idle }) => idle.back.toFixed(0)),
])}`
}

function three({ p50, p99, p999 }: Percentiles): string {
  return `${p50} / ${p99} / ${p999}`
}
