/** A gateway on a memory store, for tests that connect to it through memory. */
import type { Guard } from '../../src/gateway/guard.ts'
import { Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import { silentLog, type Log } from '../../src/gateway/log.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { connectInMemory, type Peer } from './peer.ts'

const defaults: GatewayOptions = {
  core: {
    node: 'node',
    ackTimeoutMs: 30_000,
    window: 256,
    windowBytes: 1024 * 1024,
    sendWindow: 64,
    sendWindowBytes: 256 * 1024,
    heldBytes: 64 * 1024 * 1024,
    newRecipients: 200,
    rememberedStreams: 1_000,
    roomsPerConnection: 128,
    roomMessages: 1_000,
    soleOwner: true,
    pollMs: 0,
    maxPacket: 1024 * 1024,
    pingIntervalMs: 15_000,
  },
  connections: {
    maxPacket: 1024 * 1024,
    frameRate: 1_000,
    pingIntervalMs: 15_000,
    idleTimeoutMs: 0,
    slowBytes: 4 * 1024 * 1024,
    unreadBytes: 256 * 1024 * 1024,
  },
  admission: { connectionsPerAddress: 1_000, connectRate: 500, maxLagMs: 60_000 },
  roomMakingRate: 20,
  roomPasswordRate: 10,
  helloTimeoutMs: 5_000,
  overloadLagMs: 60_000,
  parksUnknown: false,
}

export interface Overrides {
  readonly core?: Partial<GatewayOptions['core']>
  readonly connections?: Partial<GatewayOptions['connections']>
  readonly admission?: Partial<GatewayOptions['admission']>
  readonly helloTimeoutMs?: number
  readonly parksUnknown?: boolean
}

export class House {
  readonly store: Store
  readonly gateway: Gateway

  constructor(more: Overrides = {}, store: Store = new MemoryStore(), log: Log = silentLog, guard?: Guard) {
    this.store = store
    const options: GatewayOptions = {
      core: { ...defaults.core, ...more.core },
      connections: { ...defaults.connections, ...more.connections },
      admission: { ...defaults.admission, ...more.admission },
      roomMakingRate: defaults.roomMakingRate,
      roomPasswordRate: defaults.roomPasswordRate,
      helloTimeoutMs: more.helloTimeoutMs ?? defaults.helloTimeoutMs,
      overloadLagMs: defaults.overloadLagMs,
      parksUnknown: more.parksUnknown ?? defaults.parksUnknown,
    }
    this.gateway = new Gateway(store, options, log, guard)
    this.gateway.start()
  }

  connect(text = false, address?: string, maxBuffered?: number): ReturnType<typeof connectInMemory> {
    return connectInMemory(this.gateway.accept, text, address, maxBuffered)
  }

  close(): void {
    this.gateway.stop()
  }
}

/** Sends one message between two fresh clients and acks it: whatever else happened, the server still works. */
export async function exchange(connect: () => Peer | Promise<Peer>): Promise<void> {
  const [alice, bob] = [await connect(), await connect()]
  await alice.hello({ outbox: 'alicesbox' })
  const { id } = await bob.hello({ outbox: 'bobsoutbox' })
  alice.say(frames => frames.send(1, 1, id, 0, alice.body('still there?')))
  const [, seq] = await bob.next('message')
  bob.say(frames => frames.ack(Number(seq)))
  await alice.next('delivered')
  alice.hangUp()
  bob.hangUp()
}
