/** Somebody in a story: an id and its secrets once they are assigned, connections, and what was sent and is not settled. */
import type { Rights } from '../../src/core/rights.ts'
import type { Node } from './node.ts'
import { hashOf } from './node.ts'
import { Pipe } from './pipe.ts'
import type { World } from './world.ts'

export interface Manner {
  readonly node: string
  readonly device: string
  /** Null: the next one, as a client library counts them. */
  readonly attempt: number | null
  readonly window: number
  readonly proof: 'secret' | 'wrong secret' | 'old secret' | 'token'
  readonly numbered: boolean
  readonly called: string
  readonly rights: Rights
}

export class Person {
  readonly name: string
  /** The ids that this person ever had; the last one is the address. */
  readonly ids: string[] = []
  readonly #world: World
  readonly #pipes: Pipe[] = []
  #secrets: string[] = []
  #registered = false
  #attempts = new Map<string, number>()
  #madeUp = 0
  /** Numbers sent and not settled, by outbox and target. */
  readonly #held = new Map<string, Set<number>>()

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
  }

  get latest(): Pipe | undefined {
    return this.#pipes.at(-1)
  }

  /** The epoch of a room when it was joined last. */
  readonly epochs = new Map<string, string>()

  joined(room: string, epoch: string): void {
    this.epochs.set(room, epoch)
  }

  /** Where others write to; nobody is there before the first connection. */
  get id(): string {
    return this.ids.at(-1) ?? this.#madeUpId()
  }

  makeUpId(): { readonly id: string; readonly secret: string } {
    const id = this.#registered ? this.#madeUpId() : this.id
    return { id, secret: this.makeUpSecret() }
  }

  makeUpSecret(): string {
    return `secret ${this.#madeUp++} of ${this.name}`
  }

  welcomed(id: string, secret: string | undefined): void {
    this.#registered = true
    if (this.id !== id) this.ids.push(id)
    if (secret !== undefined) this.#secrets = [secret]
  }

  gets(secret: string): void {
    this.#secrets.push(secret)
  }

  connect(manner: Manner): void {
    const { device, proof, numbered, called: name, rights } = manner
    const pipe = new Pipe(this.#world, this, device, this.#world.node(manner.node))
    this.#pipes.push(pipe)
    const outbox = `${device === '' ? 'usual' : device}-outbox`
    const attempt = manner.attempt ?? (this.#attempts.get(outbox) ?? 0) + 1
    this.#attempts.set(outbox, Math.max(attempt, this.#attempts.get(outbox) ?? 0))
    const id = this.#registered || proof === 'token' ? this.id : null
    if (proof === 'token') this.#registered = true
    const secretHash = proof === 'token' || id === null ? null : hashOf(this.#shown(proof))
    const nonce = `${this.name}-${this.#pipes.length}`
    pipe.session = pipe.node.hub.hello(pipe, {
      id,
      secretHash,
      nonce,
      outbox: numbered ? outbox : `${nonce}-unnamed`,
      numbered,
      attempt: numbered ? attempt : 0,
      window: manner.window,
      name,
      rights,
    })
  }

  /** `which`: '', 'earlier connection', or a device. */
  pipe(which: string): Pipe {
    const found =
      which === ''
        ? this.latest
        : which === 'earlier connection'
          ? this.#pipes.at(-2)
          : this.#pipes.findLast(({ device }) => device === which)
    if (found === undefined) throw new Error(`${this.name} has no such connection`)
    return found
  }

  /** Connections to a process that is no more. */
  lose(node: Node): void {
    for (const pipe of this.#pipes) if (pipe.node === node) pipe.lose()
  }

  /** Notes that n goes out; the lowest number that an outbox holds then. */
  holds(pipe: Pipe, target: string, n: number): number {
    const held = this.#heldFor(pipe, target)
    held.add(n)
    return Math.min(...held)
  }

  settled(pipe: Pipe, target: string, n: number): void {
    this.#heldFor(pipe, target).delete(n)
  }

  settledUpTo(pipe: Pipe, target: string, n: number): void {
    const held = this.#heldFor(pipe, target)
    for (const number of held) if (number <= n) held.delete(number)
  }

  #heldFor({ device }: Pipe, target: string): Set<number> {
    const key = `${device} ${target}`
    const held = this.#held.get(key) ?? new Set()
    this.#held.set(key, held)
    return held
  }

  #shown(proof: Manner['proof']): string {
    const secret = proof === 'old secret' ? this.#secrets.at(-2) : this.#secrets.at(-1)
    return proof === 'wrong secret' ? 'a wrong secret' : (secret ?? '')
  }

  #madeUpId(): string {
    const id = `${this.name}${this.ids.length === 0 ? '' : this.ids.length + 1}`.padEnd(16, '_')
    this.ids.push(id)
    return id
  }
}
