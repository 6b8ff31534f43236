/** What the lines of a story mean: one pattern and one act each. */
import type { Pipe } from './pipe.ts'
import { toBody } from './pipe.ts'
import { roomActs, roomGivens } from './room-words.ts'
import { ACTOR, idOf, pipe, session, type Act, type Captured } from './speech.ts'
import { DURATION, MESSAGES, SIZE, toBytes, toMs, toNumbers } from './units.ts'
import type { StoreMood, World } from './world.ts'

/** The limits of a story, by the words after `Given`. */
const givens: readonly (readonly [pattern: string, set: Act])[] = [
  ['a window of (?<count>\\d+) messages?', (world, of) => (world.options.window = Number(of('count')))],
  [`a window of (?<size>${SIZE})`, (world, of) => (world.options.windowBytes = toBytes(of('size')))],
  ['a credit of (?<count>\\d+) sends?', (world, of) => (world.options.sendWindow = Number(of('count')))],
  [`a credit of (?<size>${SIZE})`, (world, of) => (world.options.sendWindowBytes = toBytes(of('size')))],
  [`(?<size>${SIZE}) held by a node`, (world, of) => (world.options.heldBytes = toBytes(of('size')))],
  ['(?<count>\\d+) new recipients? a minute', (world, of) => (world.options.newRecipients = Number(of('count')))],
  [`a look into mailboxes every (?<time>${DURATION})`, (world, of) => (world.options.pollMs = toMs(of('time')))],
  ['a node that alone owns the store', world => (world.options.soleOwner = true)],
  [`an ack timeout of (?<time>${DURATION})`, (world, of) => (world.options.ackTimeoutMs = toMs(of('time')))],
  ['mailboxes of (?<count>\\d+) messages?', (world, of) => (world.limits.mailboxMessages = Number(of('count')))],
  ...roomGivens,
  [`mailboxes of (?<size>${SIZE})`, (world, of) => (world.limits.mailboxBytes = toBytes(of('size')))],
]

const moods: Record<string, StoreMood> = { slow: 'slow', away: 'away', deaf: 'deaf', back: 'prompt' }

const acts: readonly (readonly [pattern: string, act: Act])[] = [
  [`(?<time>${DURATION}) passe?s?`, (world, of) => world.pass(toMs(of('time')))],
  ['(?<actor>[A-Z]\\w+) connects(?: again)?(?<manner>.*)', connect],
  [
    `${ACTOR} sends (?<target>\\S+) (?<messages>${MESSAGES})(?: again)?(?: of (?<size>${SIZE}))?(?: for (?<ttl>${DURATION}))?` +
      '(?: saying "(?<text>.*)")?(?:, holding (?<floor>m\\d+|nothing else))?(?<fast> too fast)?',
    send,
  ],
  [`${ACTOR} sends (?<target>\\S+) a message without a number`, sendUnnumbered],
  [`${ACTOR} acks everything`, acking(pipe => pipe.lastSeq)],
  [`${ACTOR} acks what was never sent`, acking(pipe => pipe.lastSeq + 1)],
  [
    `${ACTOR} acks m(?<n>\\d+)(?: from (?<from>\\w+))?`,
    acking((pipe, of) => pipe.seqOf(Number(of('n')), of('from') || null)),
  ],
  [`${ACTOR} refuses m(?<n>\\d+)(?: from (?<from>\\w+))?: (?<reason>.+)`, refuse],
  [`${ACTOR} leaves`, (world, of) => session(world, of).bye()],
  [`${ACTOR} is cut off`, cutOff],
  [
    `${ACTOR} asks what is kept for (?<target>\\S+)`,
    (world, of) => session(world, of).sync(`what is kept for ${of('target')}`, idOf(world, of('target'))),
  ],
  [`${ACTOR} asks who is there: (?<names>.+)`, askWho],
  [`${ACTOR} asks for a new secret`, (world, of) => session(world, of).rotate('a new secret')],
  [
    `${ACTOR} signals (?<target>\\S+): (?<text>.+)`,
    (world, of) => session(world, of).signal(idOf(world, of('target')), toBody(of('text'))),
  ],
  ['the store is (?<mood>slow|away|deaf|back)', (world, of) => (world.mood = moods[of('mood')] ?? 'prompt')],
  ['the store answers(?: (?<count>\\d+) calls?)?', (world, of) => world.answer(Number(of('count') || Infinity))],
  ...roomActs,
  ['the store is swept', world => world.sweep()],
  ['the store is copied', world => world.copy()],
  ['the store falls back', world => world.fallBack()],
  ['the nodes (?<hear>stop|start) hearing each other', (world, of) => (world.hearing = of('hear') === 'start')],
  ['(?<node>node \\d+) shuts down', (world, of) => world.node(of('node')).hub.drain()],
  ['(?<node>node \\d+) is killed', (world, of) => world.kill(of('node'))],
]

export function given(world: World, words: string): void {
  if (!world.untouched) throw new Error('what is given is said before anything happens')
  perform(givens, world, words)
}

export function act(world: World, line: string): void {
  perform(acts, world, line)
  world.settle()
}

function perform(table: readonly (readonly [string, Act])[], world: World, line: string): void {
  for (const [pattern, does] of table) {
    const match = new RegExp(`^${pattern}$`).exec(line)
    if (match === null) continue
    return does(world, name => match.groups?.[name] ?? '')
  }
  throw new Error('these words mean nothing; the vocabulary is at the top of runner.ts')
}

function connect(world: World, of: Captured): void {
  let rest = of('manner')
  const take = (pattern: RegExp): string | null => {
    const match = pattern.exec(rest)
    if (match === null) return null
    rest = rest.replace(match[0], '')
    return match[1] ?? ''
  }
  const node = take(/ to (node \d+)/) ?? 'node 1'
  const device = take(/ on (?:her|his|their) ([a-z]+)/) ?? ''
  const attempt = take(/ with attempt (\d+)/)
  const window = Number(take(/ with a window of (\d+)/) ?? 256)
  const proof = (take(/ with (?:a|the) (wrong secret|old secret|token)/) ?? 'secret') as 'secret'
  const numbered = take(/ without an outbox/) === null
  const called = take(/ called (\w+)/) ?? ''
  const admin = take(/ as an admin/) !== null
  const rooms = take(/ for the rooms (#\S+(?:, #\S+)*)/)?.split(', ') ?? null
  if (rest !== '') throw new Error(`"${rest.trim()}" is no way to connect`)
  world.person(of('actor')).connect({
    node,
    device,
    attempt: attempt === null ? null : Number(attempt),
    window,
    proof,
    numbered,
    called,
    rights: { admin, targets: null, rooms },
  })
}

function send(world: World, of: Captured): void {
  const sender = session(world, of)
  const from = pipe(world, of)
  const target = idOf(world, of('target'))
  const ttl = of('ttl') === '' ? 0 : toMs(of('ttl')) / 1_000
  for (const n of toNumbers(of('messages'))) {
    const held = from.person.holds(from, target, n)
    const floor = of('floor') === '' ? held : of('floor') === 'nothing else' ? n : Number(of('floor').slice(1))
    const body = toBody(of('text') || `m${n}`, of('size') === '' ? 0 : toBytes(of('size')))
    if (of('fast') !== '') sender.refuse(n, target, 1_000)
    else if (from.open) sender.send(n, floor, target, ttl, body)
  }
}

function sendUnnumbered(world: World, of: Captured): void {
  session(world, of).send(0, 0, idOf(world, of('target')), 0, toBody('without a number'))
}

function acking(seqOf: (pipe: Pipe, of: Captured) => number): Act {
  return (world, of) => session(world, of).ack(seqOf(pipe(world, of), of))
}

function refuse(world: World, of: Captured): void {
  session(world, of).nack(pipe(world, of).seqOf(Number(of('n')), of('from') || null), of('reason'))
}

function cutOff(world: World, of: Captured): void {
  const cut = pipe(world, of)
  cut.open = false
  if (cut.session !== null) cut.node.hub.closed(cut.session)
}

function askWho(world: World, of: Captured): void {
  const names = of('names').split(', ')
  session(world, of).presence(
    'who is there',
    names.map(name => idOf(world, name)),
  )
}
