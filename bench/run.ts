/**
 * `npm run bench`: measures ackd on this machine and writes `bench/results/`.
 *
 * The server has one core to itself and the load generator another, so messages per second are those of one core. CPU per
 * message is steadier than throughput on a small machine, where most of the noise is in waking the other core; with `--same-core`
 * both share one as batch processes, which is steadiest, and makes throughput and latency meaningless. Repeats of all
 * loads are interleaved, and the median of each is reported.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { closedLoop, fixedRate, idleConnections, parkAndDrain, type Latency, type Throughput } from './load.ts'
import { Server } from './server.ts'
import { report, type Results } from './report.ts'

const { values: flags } = parseArgs({
  options: {
    'same-core': { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '3' },
  },
})

/** A smoke run shows that everything works, in seconds; its figures mean nothing and are not kept. */
const smoke = flags.smoke
const repeats = smoke ? 1 : Number(flags.repeats)
const warmUpMs = smoke ? 200 : 1000
const forMs = smoke ? 300 : 3000
const bytes = 128

const closed = [
  { clients: 100, window: 1 },
  { clients: 100, window: 16 },
  { clients: 100, window: 64 },
  { clients: 1000, window: 1 },
]
/** Pacing keeps a core busy, so there is none on a shared one. */
const rates = flags['same-core'] ? [] : [5_000, 20_000]

await main()

async function main(): Promise<void> {
  const server = await Server.start(pinned(0))
  pinSelf()
  // What goes wrong in the middle of a measurement is thrown where nobody waits for it; and whoever stops the bench means the server too.
  let aborted = false
  const abort = (reason: unknown): void => {
    if (aborted) return
    aborted = true
    process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`)
    void server.stop().then(() => process.exit(1))
  }
  for (const event of ['uncaughtException', 'SIGINT', 'SIGTERM']) process.on(event, abort)
  try {
    const results = await measureAll(server)
    if (!smoke) keep(results)
    process.stdout.write(report(results))
  } finally {
    await server.stop()
  }
}

function keep(results: Results): void {
  const folder = new URL('./results/', import.meta.url)
  const name = results.date.slice(0, 10)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(new URL(`${name}.md`, folder), report(results))
}

async function measureAll(server: Server): Promise<Results> {
  const throughput = closed.map((): Throughput[] => [])
  const latency = rates.map((): Latency[] => [])
  for (let round = 1; round <= repeats; round++) {
    for (const [i, load] of closed.entries()) {
      progress(`round ${round} of ${repeats}: ${load.clients} clients, window ${load.window}`)
      throughput[i]?.push(await closedLoop(server, { ...load, bytes, warmUpMs, forMs }))
    }
    for (const [i, perSecond] of rates.entries()) {
      progress(`round ${round} of ${repeats}: ${perSecond} messages/s`)
      latency[i]?.push(await fixedRate(server, { clients: 100, perSecond, bytes, warmUpMs, forMs }))
    }
  }
  progress('idle connections')
  const idle = await idleConnections(server, Math.min(smoke ? 500 : 5000, Math.floor(descriptors() / 2)))
  progress('parking and draining')
  const recipients = smoke ? 100 : 1000
  const parking = await parkAndDrain(server, { recipients, messages: recipients * 100, bytes })
  return {
    date: new Date().toISOString(),
    machine: `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}`,
    cores: flags['same-core'] ? 'server and load generator on the same core' : 'one core each',
    repeats,
    bytes,
    throughput: closed.map((load, i) => ({ ...load, ...median(throughput[i] ?? [], run => run.cpu) })),
    latency: rates.map((asked, i) => ({ asked, ...median(latency[i] ?? [], run => run.receipt.p99) })),
    idle,
    parking,
  }
}

/** The run in the middle, by one figure, so that the figures of a row belong together. */
function median<Run>(runs: readonly Run[], by: (run: Run) => number): Run {
  const middle = [...runs].sort((a, b) => by(a) - by(b))[Math.floor(runs.length / 2)]
  if (middle === undefined) throw new RangeError('--repeats must be at least 1')
  return middle
}

function pinned(core: number): string[] {
  if (spawnSync('taskset', ['--version']).error) return []
  const batch = flags['same-core'] ? ['chrt', '-b', '0'] : []
  return [...batch, 'taskset', '-c', String(cpus().length > 1 && !flags['same-core'] ? core : 0)]
}

function pinSelf(): void {
  if (pinned(1).length === 0) return
  const core = cpus().length > 1 && !flags['same-core'] ? '1' : '0'
  execFileSync('taskset', ['-acp', core, String(process.pid)], { stdio: 'ignore' })
  if (flags['same-core']) execFileSync('chrt', ['-a', '-b', '-p', '0', String(process.pid)], { stdio: 'ignore' })
}

/** How many files this process may open. */
function descriptors(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  return Number(stdout) || 1024
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`)
}
