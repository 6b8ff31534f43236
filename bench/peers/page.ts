/** The results as a page: a table for each question. */
import type { Figures } from './crowd.ts'
import type { Idle, Parking } from './loads.ts'
import { figure, type Figure, type Measured, type Repeats, type Results } from './results.ts'

const CELLS = ['100×1', '100×16', '100×64', '1000×1', '1000×16', '1000×64']
/** A server that was less busy than this could have done more than the load asked for. */
const BUSY = 0.9

/** A column: what it says above, and in the row of a system. */
interface Column {
  readonly title: string
  readonly cell: (system: Measured) => string
}

function table(first: string, systems: readonly Measured[], columns: readonly Column[]): string {
  const lines = systems.map(system => `| ${system.name} | ${columns.map(({ cell }) => cell(system)).join(' | ')} |`)
  return `| ${first} | ${columns.map(({ title }) => title).join(' | ')} |
| --- |${' ---: |'.repeat(columns.length)}
${lines.join('\n')}
`
}

/** The median, and how far the repeats lay apart. */
function spread(of: Figure | null, digits: number): string {
  if (of === null) return '–'
  const { median, least, most } = of
  return `**${median.toFixed(digits)}** (${least.toFixed(digits)}–${most.toFixed(digits)})`
}

function loop(name: string, of: (run: Figures) => number, digits: number): (system: Measured) => string {
  return ({ loops }) => (loops[name]?.failed != null ? 'failed' : spread(figure(loops[name], of), digits))
}

/** Before a rate that the load, and not the server, was the limit of. */
function atLeast(busy: Figure | null): string {
  return busy !== null && busy.median < BUSY ? '≥ ' : ''
}

function perSecond(name: string): (system: Measured) => string {
  return ({ loops }) => {
    const busy = figure(loops[name], run => run.busy)
    const rate = figure(loops[name], run => run.perSecond / 1000)
    if (busy === null || rate === null) return loops[name]?.failed != null ? 'failed' : '–'
    return `${atLeast(busy)}${rate.median.toFixed(0)}k`
  }
}

function times(name: string, of: (run: Figures) => Figures['receipt']): (system: Measured) => string {
  return ({ loops }) => {
    const at = (which: 'p50' | 'p99' | 'p999'): string => String(figure(loops[name], run => of(run)[which])?.median)
    return loops[name] === undefined || loops[name].runs.length === 0
      ? '–'
      : `${at('p50')} / ${at('p99')} / ${at('p999')}`
  }
}

function cpuTable(systems: readonly Measured[]): string {
  return table('server CPU, µs per message', systems, [
    ...CELLS.map(cell => ({ title: cell, cell: loop(`same ${cell}`, run => run.cpu, 2) })),
    {
      title: 'to 1,000 members, per delivery',
      cell: ({ room }) =>
        spread(
          figure(room, run => run.cpu),
          2,
        ),
    },
  ])
}

function rateTable(systems: readonly Measured[], rate: number): string {
  const name = `rate ${rate}`
  return table(`${rate} messages/s, 100 clients`, systems, [
    { title: 'server CPU, µs per message', cell: loop(name, run => run.cpu, 1) },
    { title: 'until delivered, µs', cell: times(name, run => run.delivery) },
    { title: 'until the receipt, µs', cell: times(name, run => run.receipt) },
  ])
}

function idleTable(systems: readonly Measured[]): string {
  const of = (pick: (run: Idle) => number, digits: number) => (system: Measured) =>
    spread(figure(system.idle, pick), digits)
  return table('idle connections', systems, [
    { title: 'memory of one, KiB', cell: of(run => run.bytes / 1024, 1) },
    {
      title: 'handshakes/s',
      cell: ({ idle }) =>
        `${atLeast(figure(idle, run => run.busy))}${spread(
          figure(idle, run => run.perSecond),
          0,
        )}`,
    },
    { title: 'server CPU of one handshake, µs', cell: of(run => run.cpu, 0) },
    { title: '× the bare uWS relay', cell: timesRelay(systems) },
    { title: 'of one who comes back, µs', cell: of(run => run.back, 0) },
    { title: "the load's own, µs", cell: of(run => run.load, 0) },
  ])
}

/** A handshake as a multiple of that of the relay on uWebSockets.js in the same run, over whatever transport. */
function timesRelay(systems: readonly Measured[]): (system: Measured) => string {
  const relay = figure(systems.find(({ name }) => name === 'bare uWS relay')?.idle, run => run.cpu)
  return ({ idle }) => {
    const own = figure(idle, run => run.cpu)
    return relay === null || own === null ? '–' : (own.median / relay.median).toFixed(2)
  }
}

function parkingTable(systems: readonly Measured[]): string {
  const of = (pick: (run: Parking) => number, digits: number) => (system: Measured) =>
    spread(figure(system.parking, pick), digits)
  return table('100 messages each for 1,000 who are away', systems, [
    { title: 'park: CPU of server and store, µs', cell: of(run => run.park.cpu, 2) },
    { title: 'messages/s', cell: of(run => run.park.perSecond, 0) },
    { title: 'drain: CPU, µs', cell: of(run => run.drain.cpu, 2) },
    { title: 'messages/s', cell: of(run => run.drain.perSecond, 0) },
  ])
}

function failures(systems: readonly Measured[]): string {
  const told = systems.flatMap(({ name, loops, idle, room, parking, troubles }) => [
    ...Object.entries({ ...loops, 'idle connections': idle, room, parking }).flatMap(([load, { failed }]) =>
      failed === null ? [] : [`- ${name}, ${load}: ${failed}`],
    ),
    ...troubles.map(trouble => `- ${name}, ${trouble}`),
  ])
  return told.length === 0 ? '' : `\nWhat failed:\n\n${told.join('\n')}\n`
}

/** A run that is ended has made fewer rounds of what comes last. */
function madeOf({ systems, repeats }: Results, of: (system: Measured) => Repeats<unknown>): string {
  const made = Math.max(0, ...systems.map(system => of(system).runs.length))
  return made === repeats
    ? ''
    : `The run was ended before all its rounds were made: repeats in this table: ${made}.\n\n`
}

export function page(results: Results): string {
  const { systems } = results
  const looped = systems.filter(({ loops }) => Object.keys(loops).length > 0)
  const rated = looped.filter(({ loops }) => loops['rate 5000'] !== undefined)
  const named = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`)
  return `# Side by side, ${results.date.slice(0, 10)}

${results.machine}; ${named.join(', ')}. Bodies of ${results.bytes} bytes; medians of ${results.repeats} interleaved repeats, in brackets the least and the most.
One message: sent, delivered, acked by the recipient, receipted to the sender. \`100×16\`: 100 clients in pairs, each with 16 messages unsettled.

${table('what a receipt says', systems, [{ title: 'the sender knows that', cell: ({ receipt }) => receipt }])}
## CPU

Server and load share one core, as batch processes.

${cpuTable(looped)}
## Throughput and time

A core each. "≥": the server was busy for less than ${BUSY * 100} % of the time, so the load was the limit.

${table(
  'messages/s',
  looped,
  CELLS.map(cell => ({ title: cell, cell: perSecond(`apart ${cell}`) })),
)}
${table(
  'until the receipt, µs, p50 / p99 / p99.9',
  looped,
  CELLS.map(cell => ({ title: cell, cell: times(`apart ${cell}`, run => run.receipt) })),
)}
${table(
  'the share of its core that the server used, %',
  looped,
  CELLS.map(cell => ({ title: cell, cell: loop(`apart ${cell}`, run => run.busy * 100, 0) })),
)}
${rateTable(rated, 5_000)}
${rateTable(rated, 20_000)}
## Memory

${madeOf(results, ({ idle }) => idle)}${idleTable(systems.filter(({ idle }) => idle.runs.length > 0))}
${table(
  'server memory under load, MiB',
  looped,
  CELLS.map(cell => ({ title: cell, cell: loop(`apart ${cell}`, run => run.memory / 2 ** 20, 0) })),
)}
## Parked and drained

${madeOf(results, ({ parking }) => parking)}${parkingTable(systems.filter(({ parking }) => parking.runs.length > 0))}
## The load itself

What the load generator costs, all systems being spoken to by hand over bare sockets; a server is never waiting for more than this.

${table(
  'load CPU, µs per message',
  looped,
  CELLS.map(cell => ({ title: cell, cell: loop(`same ${cell}`, run => run.load, 2) })),
)}${failures(systems)}`
}
