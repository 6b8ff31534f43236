/** The loads that are no loop of pairs, each on servers that were just started: idle connections, and what waits for who is away. */
import { Crowd, type Figures } from './crowd.ts'
import { placeLoad, type Service } from './service.ts'
import type { System } from './systems.ts'

export interface Idle {
  /** Bytes of the server's memory for a connection. */
  readonly bytes: number
  /** Handshakes, up to the first message that could be sent. */
  readonly perSecond: number
  /** µs of the server's CPU for each. */
  readonly cpu: number
}

export interface Parking {
  readonly park: Figures
  readonly drain: Figures
}

/** Messages, or ms, before anything is measured. */
const FIRST = [300_000, 4_000] as const
/** Connections that are there before the first one counts: what a server needs once for all is not theirs. */
const BEFORE = 500
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

export async function idle(system: System, service: Service, connections: number): Promise<Idle> {
  // The heap grows to its working size under any load, which is no connection's doing.
  await warmUp(system, service)
  const first = await Crowd.open(system, service, BEFORE)
  await first.sleep(1000)
  const before = service.memory()
  let crowd = first
  const { perSecond, cpu } = await first.meter(async () => {
    crowd = await Crowd.open(system, service, connections, { firstSeat: BEFORE })
    return connections
  })
  await crowd.sleep(1000)
  const bytes = Math.round((service.memory() - before) / connections)
  await Promise.all([first.leave(), crowd.leave()])
  return { bytes, perSecond, cpu }
}

/** Parks `each` messages for everyone of so many recipients, then lets these come back. Coming back is part of the drain. */
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
  const senders = await Crowd.open(system, service, SENDERS)
  const park = await senders.meter(() => senders.runErrands(targets, each))
  await senders.leave()
  const drain = await senders.meter(async () => {
    const back = await Crowd.open(system, service, recipients, { names })
    await back.until(() => back.receivedInAll >= recipients * each, 'messages that do not come')
    // What was acked last is removed after that.
    await back.sleep(300)
    await back.leave()
    return back.receivedInAll
  })
  return { park, drain }
}
