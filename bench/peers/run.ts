/**
 * `npm run bench:peers`: ackd, its peers and relays without any logic, side by side in one run. Writes `bench/results/`.
 *
 * CPU time is read where server and load share one core as batch processes: each then works until it has nothing left to do, so that what a turn
 * gathers depends on the load and not on which core was awake. Throughput and times are read with a core each. All systems take
 * turns within every round, so that whatever the machine does meanwhile meets all of them. `-- --short` shows in a few minutes that
 * everything works, and its figures mean little; `--only` takes a list of beginnings of names.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machineName } from '../machine.ts'
import { chart } from './chart.ts'
import { Crowd, type Figures } from './crowd.ts'
import { install, versions } from './install.ts'
import { idle, onFresh, parkAndDrain, warmUp } from './loads.ts'
import { BODY } from './party.ts'
import { noRuns, type Measured, type Repeats, type Results } from './results.ts'
import { placeLoad, stopAll, type Placement, type Service } from './service.ts'
import { systems, type Kind, type System } from './systems.ts'
import { page } from './page.ts'

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    repeats: { type: 'string', default: '' },
  },
})

const { short } = flags
const repeats = Number(flags.repeats || (short ? 1 : 3))
const warmUpMs = short ? 100 : 250
const forMs = short ? 200 : 700
const CLIENTS = short ? [100] : [100, 1000]
const WINDOWS = short ? [1, 16] : [1, 16, 64]
const RATES = [5_000, 20_000]
const MEMBERS = short ? 100 : 1000
/** Messages to the room that are on their way. */
const AHEAD = 4
const IDLERS = short ? 1000 : 5000
const RECIPIENTS = short ? 100 : 1000
const EACH = 100

/** One system in the course of a run, and what was measured. */
interface Entrant {
  readonly system: System
  readonly measured: Measured
  /** Its server for the loops, which is started anew when something went wrong; null once that failed as well. */
  service: Service | null
}

const chosen = systems.filter(({ name }) => flags.only.split(',').some(start => name.startsWith(start)))

function said(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
}

async function start(system: System): Promise<Service> {
  const service = await system.start()
  service.place('same')
  await warmUp(system, service)
  return service
}

/** Notes what a load gives, or once why it gives nothing; then the server is started anew, and this load is not tried again. */
async function note<Run>(into: Repeats<Run>, load: () => Promise<Run>): Promise<boolean> {
  if (into.failed !== null) return true
  try {
    into.runs.push(await load())
    return true
  } catch (error) {
    into.failed = error instanceof Error ? error.message : String(error)
    said(`failed: ${into.failed}`)
    return false
  }
}

/** Whatever goes wrong is this system's trouble alone: its server is started anew, and without one it takes no further part. */
async function guarded(entrant: Entrant, what: string, work: (service: Service) => Promise<void>): Promise<void> {
  if (entrant.service === null) return
  said(`${what}: ${entrant.system.name}`)
  try {
    await work(entrant.service)
  } catch (error) {
    troubled(entrant, what, error)
    await revive(entrant).catch((failure: unknown) => troubled(entrant, `${what}, starting anew`, failure))
  }
}

function troubled({ system, measured }: Entrant, what: string, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error)
  measured.troubles.push(`${what}: ${text}`)
  said(`trouble with ${system.name}: ${text}`)
}

async function revive(entrant: Entrant): Promise<Service> {
  const { service, system } = entrant
  entrant.service = null
  await service?.stop()
  return (entrant.service = await start(system))
}

async function loops(entrant: Entrant, from: Service, placement: Placement, clients: number): Promise<void> {
  const { system, measured } = entrant
  const enter = async (service: Service): Promise<Crowd> => {
    service.place(placement)
    const crowd = await Crowd.open(system, service, clients)
    crowd.pair()
    return crowd
  }
  placeLoad(placement)
  let crowd = await enter(from)
  const run = async (name: string, load: () => Promise<Figures>): Promise<void> => {
    if (!(await note((measured.loops[name] ??= noRuns()), load))) crowd = await enter(await revive(entrant))
  }
  for (const window of WINDOWS) {
    await run(`${placement} ${clients}×${window}`, () =>
      crowd.closedLoop(window, warmUpMs, forMs, placement === 'apart'),
    )
  }
  if (placement === 'apart' && clients === 100 && system.measured.includes('rate')) {
    for (const rate of RATES) await run(`rate ${rate}`, () => crowd.fixedRate(rate, warmUpMs, 2 * forMs))
  }
  await crowd.leave()
}

async function room({ system, measured }: Entrant, service: Service): Promise<void> {
  service.place('same')
  placeLoad('same')
  await note(measured.room, async () => {
    const crowd = await Crowd.open(system, service, MEMBERS + 1, { room: true })
    const figures = await crowd.fanOut(AHEAD, warmUpMs, forMs)
    await crowd.leave()
    return figures
  })
}

async function enterAll(): Promise<Entrant[]> {
  const entrants: Entrant[] = []
  for (const system of chosen) {
    const { name, receipt } = system
    const measured = {
      name,
      receipt,
      loops: {},
      idle: noRuns<never>(),
      room: noRuns<never>(),
      parking: noRuns<never>(),
      troubles: [],
    }
    const entrant: Entrant = { system, measured, service: null }
    entrants.push(entrant)
    said(`starting ${name}`)
    await revive(entrant).catch((error: unknown) => troubled(entrant, 'starting', error))
  }
  return entrants
}

async function measureAll(entrants: readonly Entrant[]): Promise<void> {
  const those = (kind: Kind): Entrant[] => entrants.filter(({ system }) => system.measured.includes(kind))
  for (let round = 1; round <= repeats; round++) {
    for (const placement of ['same', 'apart'] as const) {
      for (const clients of CLIENTS) {
        for (const entrant of those('loop')) {
          await guarded(entrant, `round ${round}, ${clients} clients, ${placement}`, service =>
            loops(entrant, service, placement, clients),
          )
        }
      }
    }
    for (const entrant of those('room')) {
      await guarded(entrant, `round ${round}, to ${MEMBERS} members`, service => room(entrant, service))
    }
    keep(resultsOf(entrants))
  }
  for (const { service } of entrants) await service?.stop()
  for (let round = 1; round <= repeats; round++) {
    for (const { system, measured } of those('idle')) {
      said(`round ${round}, ${IDLERS} idle connections: ${system.name}`)
      await note(measured.idle, () => onFresh(system, service => idle(system, service, IDLERS)))
    }
    for (const { system, measured } of those('park')) {
      said(`round ${round}, ${RECIPIENTS * EACH} messages parked and drained: ${system.name}`)
      await note(measured.parking, () => onFresh(system, service => parkAndDrain(system, service, RECIPIENTS, EACH)))
    }
    keep(resultsOf(entrants))
  }
}

async function main(): Promise<void> {
  install()
  const entrants = await enterAll()
  await measureAll(entrants)
  process.stdout.write(page(resultsOf(entrants)))
}

function resultsOf(entrants: readonly Entrant[]): Results {
  return {
    date: new Date().toISOString(),
    machine: machineName(),
    versions: versions(),
    repeats,
    bytes: BODY,
    systems: entrants.map(({ measured }) => measured),
  }
}

/** After every round, so that a run which is ended leaves what it has measured. */
function keep(results: Results): void {
  if (short || flags.only !== '') return
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(new URL(name, folder), text)
  write('peers.json', `${JSON.stringify(results, null, 1)}\n`)
  write('peers.md', page(results))
  write('peers.svg', chart(results))
}

let ending = false

/** Ends the process once no server is left, whoever stops it and whatever went wrong. */
function end(code: number, why: unknown = null): void {
  if (ending) return
  ending = true
  if (why !== null) console.error(why)
  void stopAll().finally(() => process.exit(code))
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(1))
// What a peer says that nobody expected is thrown where nobody waits for it; the load that meets it comes to no end, and is given up.
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, error => said(`thrown meanwhile: ${error instanceof Error ? error.message : String(error)}`))
}

main().then(
  () => end(0),
  (error: unknown) => end(1, error),
)
