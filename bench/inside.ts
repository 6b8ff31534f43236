/**
 * What a message costs inside the process, without sockets and without a kernel: `npx tsx bench/inside.ts [clients] [window] [rounds]`.
 *
 * The real gateway, hub, sessions and codec, between pipes that carry nothing. Clients in pairs write to each other, `window`
 * messages a turn, and ack them in the next, as in the closed loop of the load; the bytes are made beforehand. The best and the median of
 * many rounds are printed, and the least and the median of what each message left on the heap. Run it under `node --cpu-prof --import tsx`
 * for a profile, and with a young generation that holds a round, as `test/performance.slow.test.ts` does, for bytes that no collection lessens.
 */
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Pipe, PipeEvents } from '../src/transport/transport.ts'
import { House } from '../test/gateway/house.ts'
import { Reader, hello, sendTemplate, writeAck, writeSend } from './wire.ts'

const clients = Number(process.argv[2] ?? 100)
const window = Number(process.argv[3] ?? 16)
const rounds = Number(process.argv[4] ?? 1000)
const TURNS = Math.max(1, Math.floor(3_200 / (clients * window)))
const MESSAGES = TURNS * clients * window

class Client implements Pipe {
  readonly transport = 'ws'
  readonly address = '127.0.0.1'
  events: PipeEvents | null = null
  id = ''
  template: Buffer | null = null
  n = 0
  packet = Buffer.alloc(0)
  ack = Buffer.alloc(16)

  write(packet: Uint8Array): boolean {
    if (this.id === '') this.id = idOf(Buffer.from(packet))
    return true
  }
  cork(writes: () => void): void {
    writes()
  }
  buffered(): number {
    return 0
  }
  end(_number: number, name: string): void {
    throw new Error(`a pipe was ended: ${name}`)
  }
  destroy(): void {
    throw new Error('a pipe was destroyed')
  }

  /** The next `window` messages, in one packet. */
  send(): void {
    let end = 0
    for (let i = 0; i < window; i++) {
      const n = ++this.n
      end = writeSend(this.packet, end, this.template!, n, n - i, 0)
    }
    this.events!.packet(this.packet.subarray(0, end), false)
  }

  /** Acks everything that came, which is as much as was sent. */
  acknowledge(): void {
    const end = writeAck(this.ack, 0, this.n)
    this.events!.packet(this.ack.subarray(0, end), false)
  }
}

function idOf(packet: Buffer): string {
  const reader = new Reader()
  reader.bytes = packet
  reader.at = 0
  reader.count()
  reader.skip()
  for (let left = reader.count(); left > 0; left--) {
    if (reader.string() === 'id') return reader.string()
    reader.skip()
  }
  throw new Error('a welcome without an id')
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const { gateway } = new House({
  // All that is on its way has to be held, and both ends of every stream remembered.
  core: { soleOwner: true, heldBytes: 2 ** 30, rememberedStreams: 2 * clients },
  connections: { frameRate: 1e9 },
  admission: { connectionsPerAddress: 1e6, connectRate: 1e6 },
})
const all = Array.from({ length: clients }, () => new Client())
for (const [i, client] of all.entries()) {
  client.events = gateway.accept(client)
  client.events.packet(hello({ outbox: `outbox_${String(i).padStart(5, '0')}` }), false)
}
for (let i = 0; i < 20; i++) await turn()
for (const [i, client] of all.entries()) {
  client.template = sendTemplate(all[i ^ 1]!.id, 128)
  client.packet = Buffer.alloc(client.template.length * window)
}

async function exchange(): Promise<void> {
  for (const client of all) client.send()
  await turn()
  for (const client of all) client.acknowledge()
  await turn()
}

async function round(): Promise<{ ns: number; bytes: number }> {
  const heap = process.memoryUsage().heapUsed
  const start = process.hrtime.bigint()
  for (let i = 0; i < TURNS; i++) await exchange()
  const ns = Number(process.hrtime.bigint() - start)
  return { ns: ns / MESSAGES, bytes: (process.memoryUsage().heapUsed - heap) / MESSAGES }
}

v8.setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
for (let i = 0; i < 100; i++) await round()
const times: number[] = []
const heaps: number[] = []
for (let i = 0; i < rounds; i++) {
  if (i % 20 === 0) {
    collect()
    heaps.push((await round()).bytes)
  } else times.push((await round()).ns)
}
const { stats } = gateway.hub
if (stats.delivered === 0 || stats.parked.order > clients)
  throw new Error(`not the live path: ${JSON.stringify(stats.parked)}`)
const at = (of: number[], share: number): string => of.sort((a, b) => a - b)[Math.floor(of.length * share)]!.toFixed(0)
process.stdout.write(
  `${clients} × ${window}: ${at(times, 0.03)} ns, median ${at(times, 0.5)} ns a message; heap +${at(heaps, 0)} bytes, median +${at(heaps, 0.5)}\n`,
)
gateway.stop()
