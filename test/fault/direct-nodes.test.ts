/**
 * Two servers on one Redis, of which one is killed in turn while a client at the one writes to a client at the other: the sender is told `delivered` of
 * each message that was stored, after it was read, although he does not ask once the last server has been killed.
 *
 * `FAULT_SEED` repeats the waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connect } from '../../src/client/index.node.ts'
import { Random } from '../simulation/random.ts'
import { RedisServer } from '../support/redis.ts'
import { ServerProcess, until } from './server.ts'

const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
/** The sender's and the recipient's, which is the last: from then on the sender stays connected. */
const KILLS = [0, 1, 0, 1] as const
/** ms */
const KILL_EVERY = [300, 900] as const
const MAX_AWAY_MS = 300
const SEND_EVERY_MS = 5
const MAX_OPEN = 500
/** ms in which all is told on a busy machine; the library asks 45 s after it has connected. */
const TOLD_MS = 40_000

test(`direct messages over two servers, which are killed in turn (seed ${SEED})`, { timeout: 240_000 }, async () => {
  process.stdout.write(`faults: FAULT_SEED=${SEED}\n`)
  const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'everysec')
  const servers = [1, 2].map(() => new ServerProcess(redis.directory, ['--redis-url', redis.url]))
  const random = new Random(SEED)
  for (const server of servers) await server.start()
  const [alice, bob] = [connect(servers[0]!.url), connect(servers[1]!.url)]
  try {
    await until(() => alice.id !== null && bob.id !== null, 'both are welcome')
    const read: unknown[] = []
    bob.on('message', ({ body }) => void read.push(body))
    const sends: Promise<void>[] = []
    const told: number[] = []
    const wrong: string[] = []
    const send = async (n: number): Promise<void> => {
      const sent = await alice.send(bob.id ?? '', n)
      const end = await sent.delivered
      if (end !== 'delivered') wrong.push(`${n} ended as ${end}`)
      if (!read.includes(n)) wrong.push(`${n} was told delivered and is not read`)
      told.push(n)
    }
    const over = new AbortController()
    const sending = (async () => {
      for (let n = 1; !over.signal.aborted; n++) {
        sends.push(send(n))
        await sleep(SEND_EVERY_MS)
        // The outbox holds so many at most.
        await until(() => sends.length - told.length < MAX_OPEN, 'less is on its way')
      }
    })()
    for (const which of KILLS) {
      await sleep(random.between(...KILL_EVERY))
      const server = servers[which]!
      await server.kill()
      await sleep(random.between(0, MAX_AWAY_MS))
      await server.start()
    }
    const since = performance.now()
    const before = read.length
    await until(() => read.length > before, 'the recipient is back')
    over.abort()
    await sending
    await until(() => told.length === sends.length, 'the end of each is told', TOLD_MS)
    await Promise.all(sends)
    expect(wrong).toEqual([])
    expect(read).toEqual(sends.map((_, index) => index + 1))
    const toldMs = Math.round(performance.now() - since)
    process.stdout.write(`${told.length} messages told delivered, the last ${toldMs} ms after the last start\n`)
  } finally {
    await Promise.all([alice.close(), bob.close()])
    for (const server of servers) await server.discard()
    await redis.stop()
  }
})
