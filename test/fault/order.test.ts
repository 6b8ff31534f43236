/**
 * What a loss of power would leave: shown by the order of the system calls, since no test can pull the plug. The server runs under
 * strace; for each message to somebody who is away, the calls must come in this order:
 *
 *   the pages with its body are written → they are synced → the page that makes them count is written and synced → the receipt is sent
 *
 * each begun after the one before has returned. LMDB writes pages with pwrite or writev (it maps its file for reading only) and calls
 * fdatasync; the last page goes through a second descriptor that was opened with O_DSYNC, so that this write is its own sync.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectBySocket } from '../gateway/peer.ts'
import { ServerProcess } from './server.ts'

const MESSAGES = 8
const CALLS = 'openat,fdatasync,fsync,msync,sync_file_range,pwrite64,pwritev,write,writev,sendto,sendmsg'
const DATA_FILE = /messages\.mdb>/
const WRITES = ['pwrite64', 'pwritev', 'writev', 'write']
const SYNCS = ['fdatasync', 'fsync', 'msync']

let directory = ''
let server: ServerProcess | null = null

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-order-'))
})

afterEach(async () => {
  await server?.discard()
  rmSync(directory, { recursive: true })
})

/** A call, in the order of its beginning and of its return among all that happened. */
interface Call {
  readonly name: string
  readonly args: string
  readonly begun: number
  returned: number
}

/** Reads what `strace -f -y` wrote. A call of one thread that another interrupts is told in two parts. */
function readTrace(text: string): Call[] {
  const calls: Call[] = []
  const unfinished = new Map<string, Call>()
  for (const [at, line] of text.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const begun = /^(\w+)\((.*)$/.exec(rest)
    if (begun) {
      const isWhole = !rest.endsWith('<unfinished ...>')
      const call = { name: begun[1] ?? '', args: begun[2] ?? '', begun: at, returned: isWhole ? at : Infinity }
      calls.push(call)
      if (!isWhole) unfinished.set(pid, call)
    } else if (rest.startsWith('<... ')) {
      const call = unfinished.get(pid)
      if (call) call.returned = at
      unfinished.delete(pid)
    }
  }
  return calls
}

/** Null when it is there, otherwise why the test cannot be. */
function missingTracer(): string | null {
  const has = (command: string, ...args: string[]): boolean => {
    try {
      execFileSync(command, args, { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  if (!has('strace', '-V') && process.getuid?.() === 0) {
    has('apt-get', 'update', '-qq')
    has('apt-get', 'install', '-y', '-qq', 'strace')
  }
  if (!has('strace', '-V')) return 'install strace (apt-get install strace)'
  return has('strace', '-o', '/dev/null', 'true') ? null : 'strace may not trace here; allow ptrace (CAP_SYS_PTRACE)'
}

/** Parks messages for somebody who is away, one after the other, and returns their bodies. */
async function park(url: string): Promise<string[]> {
  const bob = await connectBySocket(url)
  const { id } = await bob.hello()
  bob.say(frames => frames.bye())
  await bob.end()
  const alice = await connectBySocket(url)
  await alice.hello({ outbox: 'alicesbox' })
  const bodies = Array.from({ length: MESSAGES }, (_, index) => `the body of message ${index + 1} is here`)
  for (const [index, body] of bodies.entries()) {
    alice.say(frames => frames.send(index + 1, 1, id, 0, alice.body(body)))
    expect(await alice.next('stored')).toEqual(['stored', id, index + 1])
  }
  alice.hangUp()
  return bodies
}

test('the disk has a message before its sender is told that it is stored', async ({ skip }) => {
  const missing = missingTracer()
  if (missing !== null) skip(missing)
  const trace = join(directory, 'trace')
  const tracer = ['strace', '-f', '-y', '-s', '16384', '-e', `trace=${CALLS}`, '-o', trace]
  server = new ServerProcess(join(directory, 'data'), [], null, tracer)
  await server.start()
  const bodies = await park(server.url)
  await server.kill('SIGTERM')
  const calls = readTrace(readFileSync(trace, 'utf8'))
  const files = calls.filter(({ args }) => DATA_FILE.test(args))
  const sealing = /= (\d+)</.exec(files.find(({ args }) => args.includes('O_DSYNC'))?.args ?? '')?.[1] ?? 'none'
  const receipts = calls.filter(({ name, args }) => /^(send|write)/.test(name) && args.includes('stored'))
  expect(receipts).toHaveLength(MESSAGES)
  for (const [index, body] of bodies.entries()) {
    const written = files.find(({ name, args }) => WRITES.includes(name) && args.includes(body))
    const synced = files.find(({ name, begun }) => SYNCS.includes(name) && begun > (written?.returned ?? Infinity))
    const sealed = files.find(
      ({ name, args, begun }) =>
        WRITES.includes(name) && args.startsWith(`${sealing}<`) && begun > (synced?.returned ?? Infinity),
    )
    expect([written !== undefined, synced !== undefined, sealed !== undefined], body).toEqual([true, true, true])
    expect(sealed?.returned, `the receipt for ${body}`).toBeLessThan(receipts[index]?.begun ?? 0)
  }
})
