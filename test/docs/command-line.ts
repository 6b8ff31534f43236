/** The play of docs/cli.md: one server, bob, alice and their operator, from the first message to the last token. */
import { secret } from '../support/issuer.ts'
import { freePort } from '../support/port.ts'
import { RedisServer } from '../support/redis.ts'
import type { Command, Reading, Script } from './pages.ts'
import type { Stage, Terminal, Typed } from './terminal.ts'

export async function playCommandLine(stage: Stage, page: Reading): Promise<void> {
  await fails(stage, page)
  await judges(stage, page)
  stage.env['ACKD_ADMIN_TOKEN'] = 'an-admin-token-of-forty-bytes,-for-tests'
  stage.env['ACKD_TRACE'] = '10000'
  const ready = await stage.serves(stage.open().type('ackd serve'))
  stage.shows(page.take('json', '"msg":"ready"'), ready)
  const operator = stage.open()
  await sends(stage, operator, page)
  await stage.runAll(operator, page.script('console', 'ackd mailbox ls').rest())
  await traces(stage, operator, page)
  const presence = page.script('console', 'ackd presence')
  await stage.run(operator, presence.next())
  await stage.present(1)
  await stage.runAll(operator, page.script('console', 'ackd clients ls').rest())
  await stage.present(0)
  await talks(stage, page.script('console', 'ackd chat').next())
  await stage.runAll(operator, presence.rest())
  await makesTokens(stage, page.script('console', 'ackd token'))
}

/** Without a server. */
async function fails(stage: Stage, page: Reading): Promise<void> {
  const nobody = `127.0.0.1:${await freePort()}`
  stage.swaps.set('127.0.0.1:5000', nobody)
  stage.env['ACKD_URL'] = `ws://${nobody}/ws`
  await stage.runAll(stage.open(), page.script('console', 'cannot connect').rest(), 3)
}

async function judges(stage: Stage, page: Reading): Promise<void> {
  const redis = await RedisServer.start()
  stage.swaps.set('redis://127.0.0.1', redis.url)
  // Good, could be better, or worse: that is what the one who runs a server is told, whatever this machine is.
  for (const command of page.script('console', 'ackd doctor').rest()) {
    const typed = stage.open().type(stage.here(command.text))
    await typed.ended
    stage.shows(command.answer, typed.printed)
  }
  stage.swaps.delete('redis://127.0.0.1')
  await redis.stop()
}

/** bob listens, is killed, gets two messages that wait for him, and is back. */
async function sends(stage: Stage, operator: Terminal, page: Reading): Promise<void> {
  const script = page.script('console', 'ackd send bob "are you')
  const bobs = stage.open()
  const bob = bobs.type('ackd listen --as bob --json')
  await stage.present(1)
  const json = { text: 'ackd send bob hello --as alice --json', answer: page.take('json', '"status"') }
  await stage.run(operator, json)
  stage.shows(page.take('json', '"type":"message"'), bob.printed)
  await stage.run(operator, script.next())
  await bobs.close()
  await stage.present(0)
  await stage.run(operator, script.next())
  await stage.run(operator, { text: 'ackd send bob "call me" --as alice', answer: '● stored → bob  1.8 ms\n' })
}

/** The second message of alice to bob, after he came back for it. */
async function traces(stage: Stage, operator: Terminal, page: Reading): Promise<void> {
  const waiting = operator.type(stage.here('ackd mailbox view V1StGXR8_Z5jdHi6 --json'))
  await waiting.ended
  const last = JSON.parse(waiting.printed.trim().split('\n').at(-1) ?? '') as { outbox: string }
  stage.names.set('x3Vg_1aZ0qLmT7bd', last.outbox)
  await stage
    .open()
    .type('ackd listen --as bob')
    .prints(/call me\n/)
  await stage.counts('ackd_drained_total', 2)
  await stage.runAll(operator, page.script('console', 'ackd trace').rest())
}

async function talks(stage: Stage, chat: Command): Promise<void> {
  const [hers, his] = [stage.open(), stage.open()]
  const bob = his.type('ackd chat --as bob')
  await bob.prints(/\/quit/)
  const alice = hers.type(stage.here(chat.text))
  const says = async (terminal: Terminal, line: string, heard: [Typed, string]): Promise<void> => {
    terminal.say(line)
    await heard[0].prints(new RegExp(`^.*${heard[1]}$`, 'm'))
  }
  await alice.prints(/\/quit/)
  await says(hers, 'hello', [alice, '● hello'])
  await says(his, 'hi alice', [alice, 'hi alice'])
  await says(hers, '/to bob psst', [alice, '✓ to bob: psst'])
  await says(his, '/quit', [alice, 'bob left'])
  hers.end()
  await alice.ended
  // A terminal also shows what is typed.
  const typed = /^(hello|\/to bob psst)\n/gm
  stage.shows(chat.answer.replace(typed, ''), alice.printed)
}

async function makesTokens(stage: Stage, script: Script): Promise<void> {
  stage.env['ACKD_JWT_SECRET'] = secret
  const terminal = stage.open()
  const create = script.next()
  const made = terminal.type(stage.here(create.text))
  await made.ended
  stage.shows(create.answer, made.printed)
  stage.swaps.set(create.answer.trim(), made.printed.trim())
  await stage.runAll(terminal, script.rest())
}
