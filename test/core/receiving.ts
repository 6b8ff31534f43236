/** Where the tests of receiving begin: Bob was sent m1 of Alice, out of his mailbox. Each `begin` puts others in the place of those before. */
import type { CoreOptions } from '../../src/core/effects.ts'
import { Desk, entryOf, type Connected } from './recorder.ts'

export let desk: Desk
export let alice: Connected
export let bob: Connected

/** What came before is not written down. */
export function begin(more: Partial<CoreOptions> = {}): void {
  desk = new Desk(more)
  alice = desk.connect('alice')
  bob = desk.binding('bob')
  desk.page(bob, [entryOf(1)])
  bob.line.read()
  desk.calls.read()
}

export function send(...numbers: readonly number[]): void {
  for (const n of numbers) desk.send(alice, n)
}

export function ack(seq: number): void {
  bob.session.ack(seq)
  desk.hub.turn()
}

export function calls(kind: string): readonly string[] {
  return desk.calls.read().filter(call => call.startsWith(kind))
}
