/**
 * The commands, answers and frames of all pages, as they stand there: typed into real shells, with the built `ackd`, real curl and real
 * servers. Each page is a play of its own, in the order in which a reader comes upon its blocks; what a page takes for granted is given
 * first. A page with blocks that no play takes is red.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { connect, type Sent } from '../../src/client/index.node.ts'
import { readOptions } from '../../src/option-sources.ts'
import { otherPorts } from '../../src/transport/ports.ts'
import { inSeconds, secret, tokenOf } from '../support/issuer.ts'
import { root } from '../support/sources.ts'
import { playCommandLine } from './command-line.ts'
import { pagesRunBy, Reading, type Command } from './pages.ts'
import { isSubstituted } from './substitutes.ts'
import { Stage, until } from './terminal.ts'

const OWN = 'commands.slow.test.ts'
const ADMIN_TOKEN = 'an-admin-token-of-forty-bytes,-for-tests'

const plays: Readonly<Record<string, (stage: Stage, page: Reading) => Promise<void>>> = {
  'README.md': playReadme,
  'docs/api.md': playApi,
  'docs/cli.md': playCommandLine,
  'docs/faults.md': playFaults,
  'docs/operations.md': playOperations,
  'docs/performance.md': playPerformance,
  'docs/protocol.md': playProtocol,
  'docs/security.md': playSecurity,
  'examples/README.md': playExamples,
}

test('there is a play for each page that has something to run', () => {
  expect(pagesRunBy(OWN)).toEqual(Object.keys(plays))
})

test.concurrent.for(Object.entries(plays))('%s', async ([name, play]) => {
  const stage = new Stage()
  const page = new Reading(name, OWN)
  try {
    await play(stage, page)
  } finally {
    await stage.close()
  }
  expect(page.left()).toEqual([])
})

async function playReadme(stage: Stage, page: Reading): Promise<void> {
  const script = page.script('sh', 'npm ci')
  expect(await isSubstituted(script.next())).toBe(true)
  const start = script.next()
  const { port, ...others } = readOptions({ environment: {} })
  const { tcp, tls } = otherPorts({ port, ...others })
  expect(start.note).toBe(`a server on ws://127.0.0.1:${port}/ws, tcp://127.0.0.1:${tcp} and tls://127.0.0.1:${tls}`)
  await stage.serves(stage.open(root).type(start.text))
  const story = page.script('sh', 'ackd listen')
  const terminal = stage.open()
  const bob = terminal.type(story.next().text)
  await stage.present(1)
  const noted = ({ text, note }: Command): Promise<void> => stage.run(terminal, { text, answer: `${note}\n` })
  await noted(story.next())
  await bob.prints(/^default {2}hello$/m, true)
  await stage.run(terminal, story.next())
  await stage.present(0)
  for (let i = 0; i < 2; i++) await noted(story.next())
  const waiting = story.next()
  const ls = terminal.type(waiting.text)
  await ls.ended
  expect(waiting.note).toBe('two messages wait, on disk')
  stage.shows('id                waiting  bytes  oldest\nV1StGXR8_Z5jdHi6  2        23 B   1.1 s ago\n', ls.printed)
  const back = terminal.type(story.next().text)
  await back.prints(/call me$/m)
  expect(back.printed).toBe('default (waited)  are you there?\ndefault (waited)  call me\n')
  // What npm would take instead of the republished package: it names a tag of the project itself.
  const alias = JSON.parse(`{${page.take('json', 'uWebSockets.js')}}`) as object
  expect(alias).toEqual({
    'uWebSockets.js': expect.stringMatching(/^github:uNetworking\/uWebSockets\.js#v20\.\d+\.0$/) as unknown,
  })
}

async function playApi(stage: Stage, page: Reading): Promise<void> {
  const terminal = stage.open()
  const script = page.script('sh', 'curl')
  await stage.run(terminal, script.next())
  await stage.serves(terminal.type(script.next().text), true)
  await stage.run(terminal, { text: script.next().text, answer: page.take('json', '"receipt"').trimEnd() })
}

async function playFaults(_: Stage, page: Reading): Promise<void> {
  for (const command of page.script('sh', 'test/fault').rest())
    expect(await isSubstituted(command), command.text).toBe(true)
}

async function playOperations(stage: Stage, page: Reading): Promise<void> {
  const serve = page.script('sh', 'ackd serve').next()
  // The folder is for the one who is root, and nobody but this machine should see this server.
  const own = serve.text.replace('0.0.0.0', '127.0.0.1').replace('/var/lib/ackd', `${stage.directory}/ackd`)
  const ready = await stage.serves(stage.open().type(own))
  expect(existsSync(join(stage.directory, 'ackd/messages.mdb'))).toBe(true)
  stage.shows(page.take('json', '"msg":"ready"'), ready)
}

async function playPerformance(stage: Stage, page: Reading): Promise<void> {
  const inside = page.script('sh', 'bench/inside.ts').next()
  // Two rounds are as good as a hundred and forty to see that it runs; what it measures is another matter.
  const text = inside.text.replace(/ 140$/, ' 2')
  expect(text).not.toBe(inside.text)
  const typed = stage.open(root).type(text)
  expect(await typed.ended).toBe(0)
  expect(typed.printed).toMatch(/^100 × 16: \d+ ns, median \d+ ns a message; heap [+-]?\d+ bytes, median [+-]?\d+\n$/)
}

/** Alice is the page; bob answers when she waits for it. */
async function playProtocol(stage: Stage, page: Reading): Promise<void> {
  await stage.serves(stage.open().type('ackd serve'))
  const url = stage.env['ACKD_URL'] ?? ''
  const bob = connect(url)
  bob.on('message', () => {})
  stage.names.set('bN3kq0PzT4uWx9aE', await bob.ready())
  const alice = new WebSocket(url)
  const frames: string[] = []
  alice.on('message', (data: Buffer) => {
    const frame = data.toString()
    if (frame !== '["ping"]') frames.push(frame)
  })
  await new Promise(resolve => alice.once('open', resolve))
  let answered: Promise<Sent> | null = null
  for (const line of page.take('frames', '"hello yourself"').trim().split('\n')) {
    const [, way, frame = ''] = /^([→←]) (.*)$/.exec(line) ?? []
    if (way === '→') alice.send(stage.here(frame))
    else {
      if (frame.includes('hello yourself'))
        answered = bob.send(stage.names.get('V1StGXR8_Z5jdHi6') ?? '', 'hello yourself')
      await until(() => frames.length > 0, frame)
      // The page has spaces where the wire has none.
      stage.shows(frame.replaceAll(/([,:]) /g, '$1'), frames.shift() ?? '')
    }
  }
  // Her ack, the last line, has come to the server.
  expect((await answered)?.status).toBe('delivered')
  alice.close()
  await bob.close()
}

async function playSecurity(stage: Stage, page: Reading): Promise<void> {
  Object.assign(stage.env, { ACKD_ADMIN_TOKEN: ADMIN_TOKEN, ACKD_AUTH: 'token', ACKD_JWT_SECRET: secret })
  stage.env['ACKD_AUDIT_LOG'] = 'stderr'
  const server = stage.open().type('ackd serve')
  await stage.serves(server)
  const alice = connect(stage.env['ACKD_URL'] ?? '', { token: tokenOf({ sub: 'alice', iat: inSeconds(-1) }) })
  await alice.ready()
  const revoke = page.script('sh', 'api/revocations').next()
  await stage.run(stage.open(), { text: revoke.text, answer: page.take('json', '"kind"').trimEnd() })
  await until(() => alice.status.state === 'closed', 'alice is out')
  await alice.close()
  const late = connect(stage.env['ACKD_URL'] ?? '', { token: tokenOf({ sub: 'alice', exp: inSeconds(-60) }) })
  late.on('error', () => {})
  const noted = await server.prints(/^\{"log":"audit".*"token_refused".*expired.*\}\n/m)
  await late.close()
  stage.swaps.set('192.0.2.7', '127.0.0.1')
  stage.shows(page.take('json', '"log":"audit"'), noted)
}

async function playExamples(stage: Stage, page: Reading): Promise<void> {
  await stage.serves(stage.open().type('ackd serve'))
  const terminal = stage.open(root)
  for (const { text } of page.script('sh', 'examples/hello.ts').rest()) {
    const answer = 'bob got {"text":"hello"} from alice\nalice knows that it was delivered\n'
    await stage.run(terminal, { text, answer })
  }
}
