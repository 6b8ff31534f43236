/**
 * What this node and the others on its store tell each other, besides what is in the store: that a mailbox has something new, that messages have
 * left one, that a client has moved, signals, and what happens in rooms. All of it may be lost: who is told nothing looks for himself, some seconds later.
 *
 * A node that has its store for itself has no neighbours, and says and hears nothing.
 */
import type { Hub } from '../core/hub.ts'
import type { Body } from '../protocol/frames.ts'
import { isRoom } from '../protocol/names.ts'
import type { Neighbours } from '../store/neighbours.ts'
import type { Clock } from './clock.ts'
import { SignalRate } from './signal-rate.ts'

export class Neighbourhood {
  readonly #neighbours: Neighbours | null
  readonly #signals: SignalRate
  readonly #tell: (input: (hub: Hub) => void) => void

  /** `tell`: how the hub is told what was heard. */
  constructor(neighbours: Neighbours | null, clock: Clock, tell: (input: (hub: Hub) => void) => void) {
    this.#neighbours = neighbours
    this.#signals = new SignalRate(clock)
    this.#tell = tell
  }

  /** Hears what is told to that node from now on. Once, before anything else. */
  listen(node: string): void {
    this.#neighbours?.listen(node, {
      woken: id => this.#tell(hub => hub.woken(id)),
      settled: (stream, recipient) => this.#tell(hub => hub.news.heard(stream, recipient)),
      evicted: (id, token) => this.#tell(hub => hub.evicted(id, token)),
      appended: (room, end) => this.#tell(hub => hub.rooms.woken(room, end)),
      reported: (room, news) => this.#tell(hub => hub.rooms.heard(room, news)),
      signalled: (...signal) => this.#tell(hub => signalled(hub, ...signal)),
      missed: room => this.#tell(hub => hub.rooms.missed(room)),
    })
  }

  wake(node: string, id: string): void {
    this.#neighbours?.wake(node, id)
  }

  settled(stream: string, recipient: string): void {
    this.#neighbours?.settled(stream, recipient)
  }

  evict(node: string, id: string, token: string): void {
    this.#neighbours?.evict(node, id, token)
  }

  /** To a client, or to the room with that epoch, as far as the limit of signals goes. */
  signal(target: string, from: string, body: Body, epoch: string): void {
    if (this.#signals.takes(body.end - body.start)) this.#neighbours?.signal(target, from, body, epoch)
  }
}

function signalled(hub: Hub, target: string, from: string, body: Body, epoch: string): void {
  if (isRoom(target)) hub.rooms.signalled(target, from, body, epoch)
  else hub.session(target)?.signalled(from, body)
}
