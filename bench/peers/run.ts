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
import { placeLoad, type Placement, type Service } from './service.ts'
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

/** One system in the course of a run: its server for the loops, which is started anew when something went wrong, and what was measured. */
interface Entrant {
  readonly system: System
  readonly measured: Measured
  service: Service
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

async function loops(entrant: Entrant, placement: Placement, clients: number): Promise<void> {
  const { system, measured } = entrant
  entrant.service.place(placement)
  placeLoad(placement)
  let crowd = await enter(entrant, clients)
  const run = async (name: string, load: () => Promise<Figures>): Promise<void> => {
    if (await note((measured.loops[name] ??= noRuns()), load)) return
    await entrant.service.stop()
    entrant.service = await start(system)
    entrant.service.place(placement)
    crowd = await enter(entrant, clients)
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

async function enter({ system, service }: Entrant, clients: number): Promise<Crowd> {
  const crowd = await Crowd.open(system, service, clients)
  crowd.pair()
  return crowd
}

async function room({ system, measured, service }: Entrant): Promise<void> {
  service.place('same')
  placeLoad('same')
  await note(measured.room, async () => {
    const crowd = await Crowd.open(system, service, MEMBERS + 1, { room: true })
    const figures = await crowd.fanOut(AHEAD, warmUpMs, forMs)
    await crowd.leave()
    return figures
  })
}

async function main(): Promise<void> {
  install()
  const entrants: Entrant[] = []
  for (const system of chosen) {
    said(`starting ${system.name}`)
    const { name, receipt } = system
    const measured = {
      name,
      receipt,
      loops: {},
      idle: noRuns<never>(),
      room: noRuns<never>(),
      parking: noRuns<never>(),
    }
    entrants.push({ system, measured, service: await start(system) })
  }
  const those = (kind: Kind): Entrant[] => entrants.filter(({ system }) => system.measured.includes(kind))
  for (let round = 1; round <= repeats; round++) {
    for (const placement of ['same', 'apart'] as const) {
      for (const clients of CLIENTS) {
        for (const entrant of those('loop')) {
          said(`round ${round}: ${entrant.system.name}, ${clients} clients, ${placement}`)
          await loops(entrant, placement, clients)
        }
      }
    }
    for (const entrant of those('room')) {
      said(`round ${round}: ${entrant.system.name}, to ${MEMBERS} members`)
      await room(entrant)
    }
  }
  for (const { service } of entrants) await service.stop()
  for (let round = 1; round <= repeats; round++) {
    for (const { system, measured } of those('idle')) {
      said(`round ${round}: ${system.name}, ${IDLERS} idle connections`)
      await note(measured.idle, () => onFresh(system, service => idle(system, service, IDLERS)))
    }
    for (const { system, measured } of those('park')) {
      said(`round ${round}: ${system.name}, ${RECIPIENTS * EACH} messages parked and drained`)
      await note(measured.parking, () => onFresh(system, service => parkAndDrain(system, service, RECIPIENTS, EACH)))
    }
  }
  keep({
    date: new Date().toISOString(),
    machine: machineName(),
    versions: versions(),
    repeats,
    bytes: BODY,
    systems: entrants.map(({ measured }) => measured),
  })
}

function keep(results: Results): void {
  process.stdout.write(page(results))
  if (short || flags.only !== '') return
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(new URL(name, folder), text)
  write('peers.json', `${JSON.stringify(results, null, 1)}\n`)
  write('peers.md', page(results))
  write('peers.svg', chart(results))
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
