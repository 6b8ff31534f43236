/** The results as a page that people read. */
import type { Idle, Latency, Parking, Percentiles, Throughput } from './load.ts'

export interface Results {
  readonly date: string
  readonly machine: string
  readonly cores: string
  readonly repeats: number
  readonly bytes: number
  readonly throughput: readonly (Throughput & { readonly clients: number; readonly window: number })[]
  readonly latency: readonly (Latency & { readonly asked: number })[]
  readonly idle: Idle
  readonly parking: Parking
}

export function report(results: Results): string {
  const { idle, parking } = results
  return `# Measured ${results.date.slice(0, 10)}

${results.machine}; ${results.cores}; bodies of ${results.bytes} bytes; medians of ${results.repeats}.
One message: sent, delivered, acked by the recipient, receipted to the sender.

| clients | window | messages/s | server CPU µs per message | retries |
| ---: | ---: | ---: | ---: | ---: |
${results.throughput.map(row => `| ${row.clients} | ${row.window} | ${row.perSecond} | ${row.cpu.toFixed(2)} | ${row.retries} |`).join('\n')}

At a fixed rate, 100 clients; µs from when a message was due: p50 / p99 / p99.9.

| asked/s | messages/s | server CPU µs per message | until delivered | until receipted |
| ---: | ---: | ---: | ---: | ---: |
${results.latency.map(row => `| ${row.asked} | ${row.perSecond} | ${row.cpu.toFixed(2)} | ${three(row.delivery)} | ${three(row.receipt)} |`).join('\n')}

| what | figure |
| --- | ---: |
| memory of an idle connection (${idle.connections} of them) | ${(idle.bytes / 1024).toFixed(1)} KiB |
| connections/s, hello and welcome included | ${idle.perSecond} |
| messages parked/s; server CPU | ${parking.park.perSecond}; ${parking.park.cpu.toFixed(2)} µs |
| messages drained/s; server CPU | ${parking.drain.perSecond}; ${parking.drain.cpu.toFixed(2)} µs |
`
}

function three({ p50, p99, p999 }: Percentiles): string {
  return `${p50} / ${p99} / ${p999}`
}
