/**
 * `npm run bench -- --all`: the same loads over WebSocket, TCP and TLS, in one run.
 *
 * The transports take turns within every round, so that whatever the machine does meanwhile meets all of them. Messages are
 * measured on one server for all; idle connections on a fresh one for each, because memory that an earlier transport gave back
 * would be taken again by the next one without showing.
 */
import { closedLoop, idleConnections, type ClosedLoop, type Idle, type Throughput } from './load.ts'
import { median } from './median.ts'
import { transports, type Transport } from './pipe.ts'
import type { Servers } from './servers.ts'

type Load = Pick<ClosedLoop, 'clients' | 'window'>

const WARM_UP: Load = { clients: 100, window: 16 }

export interface Plan extends Omit<ClosedLoop, keyof Load | 'transport'> {
  readonly loads: readonly Load[]
  readonly repeats: number
  /** Idle connections. */
  readonly idle: number
  readonly progress: (text: string) => void
}

export interface Compared {
  readonly loads: readonly Load[]
  readonly columns: readonly {
    readonly transport: Transport
    /** By load. */
    readonly throughput: readonly Throughput[]
    readonly idle: Idle
  }[]
}

export async function compare(servers: Servers, plan: Plan): Promise<Compared> {
  const { loads, repeats } = plan
  const runs = transports.map(transport => ({
    transport,
    throughput: loads.map((): Throughput[] => []),
    idle: [] as Idle[],
  }))
  const server = await servers.start()
  for (let round = 1; round <= repeats; round++) {
    for (const [i, load] of loads.entries()) {
      for (const { transport, throughput } of runs) {
        plan.progress(`round ${round} of ${repeats}: ${transport}, ${load.clients} clients, window ${load.window}`)
        throughput[i]?.push(await closedLoop(server, { ...plan, ...load, transport }))
      }
    }
  }
  await servers.stop(server)
  for (let round = 1; round <= repeats; round++) {
    for (const { transport, idle } of runs) {
      plan.progress(`round ${round} of ${repeats}: ${transport}, idle connections`)
      const fresh = await servers.start()
      // The heap grows to its working size under any load, which is no connection's doing.
      await closedLoop(fresh, { ...plan, ...WARM_UP, transport })
      idle.push(await idleConnections(fresh, transport, plan.idle))
      await servers.stop(fresh)
    }
  }
  return {
    loads,
    columns: runs.map(({ transport, throughput, idle }) => ({
      transport,
      throughput: throughput.map(repeated => median(repeated, run => run.cpu)),
      idle: median(idle, run => run.bytes),
    })),
  }
}
