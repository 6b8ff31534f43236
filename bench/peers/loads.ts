/** The loads that are no loop of pairs, each on servers that were just started: idle connections, and what waits for who is away. */
import { Crowd, type Figures } from './crowd.ts'
import { placeLoad, type Service } from './service.ts'
import type { System } from './systems.ts'

export interface Idle {
  /** Bytes of the server's memory for a connection. */
  readonly bytes: number
  /** Handshakes, up to the first message that could be sent. */
  readonly perSecond: number
  /** µs of the server's CPU for each, and of the load's own. */
  readonly cpu: number
  readonly load: number
  /** µs of the server's CPU for one who was here before, under the same name. */
  readonly back: number
  /** The share of its core that the server used. */
  readonly busy: number
}

export interface Parking {
  readonly park: Figures
  readonly drain: Figures
}

/** Messages, or ms, before anything is measured. */
const FIRST = [300_000, 4_000] as const
/** Connections that are there before the first one counts: what a server needs once for all is not theirs. */
const BEFORE = 500
/** Crowds that come and go before handshakes count. */
const CROWDS_BEFORE = 2
/** Rounds of parking and draining before one counts. After a single one a server in JavaScript is still being compiled, and most so over TCP. */
const PARKED_BEFORE = 3
const SENDERS = 100

/** Runs a load on servers of its own. */
export async function onFresh<Result>(system: System, load: (service: Service) => Promise<Result>): Promise<Result> {
  const service = await system.start()
  try {
    service.place('apart')
    placeLoad('apart')
    return await load(service)
  } finally {
    await service.stop()
  }
}

/** Until what serves is compiled as it will be. */
export async function warmUp(system: System, service: Service): Promise<void> {
  const crowd = await Crowd.open(system, service, 100)
  crowd.pair()
  await crowd.warmUp(...FIRST)
  await crowd.leave()
}

/** Memory first, of a server that has not had so many yet: what its heap has grown to, it keeps. */
export async function idle(system: System, service: Service, connections: number): Promise<Idle> {
  // The heap grows to its working size under any load, which is no connection's doing.
  await warmUp(system, service)
  const first = await Crowd.open(system, service, BEFORE)
  await first.sleep(1000)
  const enter = (): Promise<Crowd> => Crowd.open(system, service, connections, { firstSeat: BEFORE })
  const before = service.memory()
  let crowd = await enter()
  await crowd.sleep(1000)
  const bytes = Math.round((service.memory() - before) / connections)
  for (let i = 0; i < CROWDS_BEFORE; i++) {
    await crowd.leave()
    crowd = await enter()
  }
  await crowd.leave()
  const { perSecond, cpu, load, busy } = await first.meter(async () => {
    crowd = await enter()
    return connections
  })
  await crowd.leave()
  const back = await comeBack(system, service, first, connections)
  await first.leave()
  return { bytes, perSecond, cpu, load, busy, back }
}

/** Crowds of those who are known come and go, and the last one counts. */
async function comeBack(system: System, service: Service, there: Crowd, connections: number): Promise<number> {
  const names = Array.from({ length: connections }, (_, i) => `b${i}`)
  const enter = (): Promise<Crowd> => Crowd.open(system, service, connections, { firstSeat: BEFORE, names })
  let crowd = await enter()
  for (let i = 0; i < CROWDS_BEFORE; i++) {
    await crowd.leave()
    if (i + 1 < CROWDS_BEFORE) crowd = await enter()
  }
  const { cpu } = await there.meter(async () => {
    crowd = await enter()
    return connections
  })
  await crowd.leave()
  return cpu
}

/**
 * Parks `each` messages for everyone of so many recipients, then lets these come back. Coming back is part of the drain. All of it is done a
 * few times before it counts, until its code is compiled as it will be.
 */
export async function parkAndDrain(
  system: System,
  service: Service,
  recipients: number,
  each: number,
): Promise<Parking> {
  await warmUp(system, service)
  const names = Array.from({ length: recipients }, (_, i) => `r${i}`)
  const known = await Crowd.open(system, service, recipients, { names })
  const targets = known.parties.map(({ address }) => address)
  await known.leave()
  await known.sleep(300)
  for (let i = 0; i < PARKED_BEFORE; i++) await parkAndDrainOnce(system, service, names, targets, each)
  return parkAndDrainOnce(system, service, names, targets, each)
}

async function parkAndDrainOnce(
  system: System,
  service: Service,
  names: readonly string[],
  targets: readonly string[],
  each: number,
): Promise<Parking> {
  const senders = await Crowd.open(system, service, SENDERS)
  const park = await senders.meter(() => senders.runErrands(targets, each))
  await senders.leave()
  let back = senders
  const drain = await senders.meter(
    async () => {
      back = await Crowd.open(system, service, names.length, { names })
      await back.until(() => back.receivedInAll >= names.length * each, 'messages that do not come')
      return back.receivedInAll
    },
    async () => {
      // What was acked last is removed after that.
      await back.sleep(300)
      await back.leave()
    },
  )
  return { park, drain }
}
