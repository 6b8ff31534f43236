/**
 * `npm run bench`: measures ackd on this machine and writes `bench/results/`.
 *
 * Over WebSocket, or what `--transport` names; with `--all` over each in turn, side by side. Arguments follow `--`, as in
 * `npm run bench -- --all`.
 *
 * The server has one core to itself and the load generator another, so messages per second are those of one core. CPU per
 * message is steadier than throughput on a small machine, where most of the noise is in waking the other core; with `--same-core`
 * both share one as batch processes, which is steadiest, and makes throughput and latency meaningless. Repeats of all
 * loads are interleaved, and the median of each is reported.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compare } from './comparison.ts'
import {
  IDLE_BEFORE,
  closedLoop,
  fanOut,
  fixedRate,
  idleConnections,
  parkAndDrain,
  type Latency,
  type Throughput,
} from './load.ts'
import { transports, type Transport } from './pipe.ts'
import { report, sideBySide, type Heading, type Results } from './report.ts'
import { descriptors, machineName, pinSelf, serverPrefix } from './machine.ts'
import { median } from './median.ts'
import type { Server } from './server.ts'
import { Servers } from './servers.ts'

const { values: flags } = parseArgs({
  options: {
    transport: { type: 'string', default: 'ws' },
    all: { type: 'boolean', default: false },
    'same-core': { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '3' },
  },
})

/** A smoke run shows that everything works, in seconds; its figures mean nothing and are not kept. */
const smoke = flags.smoke
const sameCore = flags['same-core']
const repeats = smoke ? 1 : Number(flags.repeats)
const warmUpMs = smoke ? 200 : 1000
const forMs = smoke ? 300 : 3000
const bytes = 128
const transport = transports.find(name => name === flags.transport)
if (transport === undefined) throw new RangeError(`--transport is one of ${transports.join(', ')}`)

const closed = [
  { clients: 100, window: 1 },
  { clients: 100, window: 16 },
  { clients: 100, window: 64 },
  { clients: 1000, window: 1 },
]
/** A room, and how many messages to it are on their way at once. */
const members = smoke ? 100 : 1000
const ahead = [4, 16]
/** Connections of which the memory is taken. */
const idlers = Math.min(smoke ? 500 : 5000, descriptors() - IDLE_BEFORE - 200)
/** Pacing keeps a core busy, so there is none on a shared one. */
const rates = sameCore ? [] : [5_000, 20_000]

await main(transport)

async function main(over: Transport): Promise<void> {
  const servers = new Servers(serverPrefix(sameCore))
  pinSelf(sameCore)
  await servers.during(async () => {
    if (flags.all) {
      const plan = { loads: closed, repeats, bytes, warmUpMs, forMs, idle: idlers, progress }
      keep('-all', { ...heading(), ...(await compare(servers, plan)) }, sideBySide)
    } else {
      keep(over === 'ws' ? '' : `-${over}`, await measureAll(await servers.start(), over), report)
    }
  })
}

/** Prints the page; and keeps it beside the figures, unless it was a smoke run. */
function keep<Kind extends Heading>(suffix: string, results: Kind, page: (results: Kind) => string): void {
  process.stdout.write(page(results))
  if (smoke) return
  const folder = new URL('./results/', import.meta.url)
  const name = `${results.date.slice(0, 10)}${suffix}`
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(new URL(`${name}.md`, folder), page(results))
}

function heading(): Heading {
  return {
    date: new Date().toISOString(),
    machine: machineName(),
    cores: sameCore ? 'server and load generator on the same core' : 'one core each',
    repeats,
    bytes,
  }
}

async function measureAll(server: Server, transport: Transport): Promise<Results> {
  const throughput = closed.map((): Throughput[] => [])
  const latency = rates.map((): Latency[] => [])
  const room = ahead.map((): Throughput[] => [])
  for (let round = 1; round <= repeats; round++) {
    for (const [i, load] of closed.entries()) {
      progress(`round ${round} of ${repeats}: ${load.clients} clients, window ${load.window}`)
      throughput[i]?.push(await closedLoop(server, { ...load, transport, bytes, warmUpMs, forMs }))
    }
    for (const [i, perSecond] of rates.entries()) {
      progress(`round ${round} of ${repeats}: ${perSecond} messages/s`)
      latency[i]?.push(await fixedRate(server, { transport, clients: 100, perSecond, bytes, warmUpMs, forMs }))
    }
    for (const [i, messages] of ahead.entries()) {
      progress(`round ${round} of ${repeats}: a room of ${members}, ${messages} messages on their way`)
      room[i]?.push(await fanOut(server, { transport, members, ahead: messages, bytes, warmUpMs, forMs }))
    }
  }
  progress('idle connections')
  const idle = await idleConnections(server, transport, idlers)
  progress('parking and draining')
  const recipients = smoke ? 100 : 1000
  const parking = await parkAndDrain(server, { transport, recipients, messages: recipients * 100, bytes })
  return {
    ...heading(),
    transport,
    throughput: closed.map((load, i) => ({ ...load, ...median(throughput[i] ?? [], run => run.cpu) })),
    latency: rates.map((asked, i) => ({ asked, ...median(latency[i] ?? [], run => run.receipt.p99) })),
    members,
    room: ahead.map((messages, i) => ({ ahead: messages, ...median(room[i] ?? [], run => run.cpu) })),
    idle,
    parking,
  }
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`)
}
