/**
 * The conformance suite: what `docs/protocol.md` says, tried on a server from outside, over any transport and in both encodings.
 *
 * It is for servers and clients in other languages as well as for this one, so it knows nothing of the server but the wire. Every check
 * uses clients of its own and leaves nothing behind but unused ids; many run at once, since most of the time is spent waiting.
 */
import { World, type Check } from './check.ts'
import { exchange, messageChecks } from './messages.ts'
import { packetChecks } from './packets.ts'
import { roomChecks } from './rooms.ts'
import { sessionChecks } from './sessions.ts'
import type { OpenWire } from './speaker.ts'

export type { OpenWire, Wire, WireEvents } from './speaker.ts'
export { Violation } from './speaker.ts'

/** A way to reach the server. */
export interface Door {
  /** For people: the URL, or a name. */
  readonly name: string
  /** Whether it is a stream of bytes rather than of messages. */
  readonly stream: boolean
  readonly openWire: OpenWire
}

export interface Verdict {
  readonly door: string
  readonly encoding: string
  readonly clause: string
  readonly does: string
  /** Null: it does. */
  readonly fault: Error | null
}

const checks: readonly Check[] = [...packetChecks, ...sessionChecks, ...messageChecks, ...roomChecks]
const AT_ONCE = 8

type Trial = () => Promise<Verdict>

/** Runs every check through every door in both encodings, and an exchange between every two of them. */
export async function judge(doors: readonly Door[], told: (verdict: Verdict) => void): Promise<void> {
  const worlds = doors.flatMap(door => [false, true].map(text => ({ door, text })))
  const trials = worlds.flatMap(({ door, text }) =>
    checks
      .filter(({ on }) => on?.(new World(door.openWire, door.stream, text)) ?? true)
      .map(check => () => tryCheck(check, door, text)),
  )
  const exchanges = worlds.flatMap((one, i) => worlds.slice(i).map(other => () => tryExchange(one, other)))
  await runAll([...trials, ...exchanges], told)
}

async function tryCheck({ clause, does, run }: Check, door: Door, text: boolean): Promise<Verdict> {
  const world = new World(door.openWire, door.stream, text)
  const fault = await faultOf(() => run(world), world)
  return { door: door.name, encoding: encodingOf(text), clause, does, fault }
}

interface Place {
  readonly door: Door
  readonly text: boolean
}

async function tryExchange(one: Place, other: Place): Promise<Verdict> {
  const worlds = [one, other].map(({ door, text }) => new World(door.openWire, door.stream, text))
  const [from = null, to = null] = worlds
  const fault = from && to ? await faultOf(() => exchange(from, to), from, to) : null
  const does = `exchanges messages with ${other.door.name} in ${encodingOf(other.text)}`
  return { door: one.door.name, encoding: encodingOf(one.text), clause: '§1.7', does, fault }
}

async function faultOf(run: () => Promise<void>, ...worlds: readonly World[]): Promise<Error | null> {
  try {
    await run()
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    for (const world of worlds) world.leave()
  }
}

function encodingOf(text: boolean): string {
  return text ? 'text' : 'binary'
}

/** In order, some at a time. */
async function runAll(trials: readonly Trial[], told: (verdict: Verdict) => void): Promise<void> {
  const left = trials.values()
  const work = async (): Promise<void> => {
    for (const trial of left) told(await trial())
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
