/**
 * A full disk under the whole server: what would have to be parked is handed back, what is live goes on, and when there is room again
 * everything arrives that anybody was told about.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Client } from '../../src/client/index.node.ts'
import { connectBySocket, type Heard } from '../gateway/peer.ts'
import { Random } from '../simulation/random.ts'
import { judge, newMember, settled } from './crowd.ts'
import { History } from './history.ts'
import { ServerProcess, until } from './server.ts'
import { read, Sender } from './traffic.ts'

const DISK = '6m'
const BALLAST_BYTES = 3_000_000
const LIVE_MESSAGES = 200
const PARKED_EACH = 49
const BODY_BYTES = 60_000

let directory = ''
let history: History
let server: ServerProcess
let isMounted = false
const clients: Client[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-full-'))
  mkdirSync(join(directory, 'histories'))
  mkdirSync(join(directory, 'disk'))
  history = new History(join(directory, 'histories'), 'test')
  server = new ServerProcess(join(directory, 'disk', 'data'), ['--ack-timeout', '5s'], history)
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close({ flushMs: 0 })))
  await server.discard()
  history.close()
  if (isMounted) execFileSync('umount', [join(directory, 'disk')])
  isMounted = false
  rmSync(directory, { recursive: true })
})

function mountDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', join(directory, 'disk')], { stdio: 'ignore' })
    isMounted = true
  } catch {
    isMounted = false
  }
  return isMounted
}

async function newSender(seed: number): Promise<Sender> {
  const { client, id } = await newMember(server.url)
  clients.push(client)
  return new Sender({ client, id, history, random: new Random(seed) })
}

async function newReader(): Promise<{ client: Client; id: string }> {
  const { client, id } = await newMember(server.url)
  clients.push(client)
  return { client, id }
}

/** Sends what must be parked to somebody who is away, up to `limit` messages or the first that is handed back; returns the last word. */
async function park(limit: number): Promise<Heard | undefined> {
  const away = await connectBySocket(server.url)
  const { id } = await away.hello()
  away.say(frames => frames.bye())
  await away.end()
  const filler = await connectBySocket(server.url)
  await filler.hello({ outbox: 'fillers-box' })
  const answers = (): Heard[] => filler.heard.filter(([name]) => name === 'stored' || name === 'retry')
  for (let n = 1; n <= limit && answers().at(-1)?.[0] !== 'retry'; n++) {
    filler.say(frames => frames.send(n, n, id, 0, filler.body('x'.repeat(BODY_BYTES))))
    await until(() => answers().at(-1)?.[2] === n, `an answer to message ${n}`)
  }
  filler.hangUp()
  return answers().at(-1)
}

test('a full disk hands back what must be parked, lets live messages pass, and loses nothing', async ({ skip }) => {
  if (!mountDisk()) skip('mounting a small disk needs rights that this user does not have')
  writeFileSync(join(directory, 'disk', 'ballast'), Buffer.alloc(BALLAST_BYTES))
  await server.start()
  const [live, parking] = [await newSender(1), await newSender(2)]
  const [present, absent] = [await newReader(), await newReader()]
  read({ ...present, history })
  live.send(present.id)
  await until(() => live.open === 0, 'the first message makes the stream a live one')
  // Nobody listens: these stay un-acked until they must be parked.
  for (let n = 0; n < PARKED_EACH; n++) parking.send(absent.id)

  expect(await park(1_000)).toMatchObject([
    'retry',
    expect.any(String),
    expect.any(Number),
    'unavailable',
    expect.any(Number),
  ])
  expect(await server.metric('ackd_store_failures_total', 'op="enqueue"')).toBeGreaterThan(0)
  for (let n = 0; n < LIVE_MESSAGES; n++) {
    live.send(present.id)
    await until(() => live.open === 0, 'a live message is delivered while the disk is full', 2_000)
  }

  rmSync(join(directory, 'disk', 'ballast'))
  read({ ...absent, history })
  await until(() => parking.open === 0, 'what was handed back is sent again, and receipted', 60_000)
  expect((await park(1))?.[0]).toBe('stored')
  await settled(join(directory, 'histories'), history)
  expect((await server.kill('SIGTERM')).code).toBe(0)
  const { wrong, surfaced } = judge(join(directory, 'histories'), 'full disk')
  expect(wrong.slice(0, 20)).toEqual([])
  expect(surfaced).toBe(1 + LIVE_MESSAGES + PARKED_EACH)
})
