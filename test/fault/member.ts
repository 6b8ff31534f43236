/** A member of a room for fault runs, which is the client library: what it says is told stored, and what it reads is kept in its order. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Client, type Room } from '../../src/client/index.node.ts'

/** Messages under way, at most: half of what an outbox holds. */
const MAX_OPEN = 500

export class Member {
  readonly client: Client
  readonly read: string[] = []
  readonly stored: string[] = []
  readonly wrong: string[] = []
  /** How often it was told that another log has taken the place of the one that it read, and whether that may be. */
  lost = 0
  mayLose = false
  /** By id: what was told of it last, and how often that was told twice. */
  readonly #told = new Map<string, string>()
  readonly #name: string
  #room: Room<string> | null = null
  readonly #open = new Set<Promise<unknown>>()
  #sent = 0

  constructor(url: string, name: string) {
    this.client = connect(url)
    this.#name = name
    // What was told before the connection was lost says nothing of what is told after it.
    this.client.on('status', () => this.#told.clear())
  }

  async enter(name: string): Promise<void> {
    const room = await this.client.rooms.join<string>(name, { since: 0 })
    this.#room = room
    room.on('message', ({ body }) => void this.read.push(body))
    room.on('gap', ({ first, last }) => this.wrong.push(`a gap from ${first} to ${last}`))
    room.on('lost', () => {
      this.lost++
      if (!this.mayLose) this.wrong.push('the log was lost')
    })
    // Who joins again is told anew who is there.
    room.on('joined', () => this.#told.clear())
    room.on('member', ({ event, id }) => {
      if (this.#told.get(id) === event) this.wrong.push(`told twice that ${id} did ${event}`)
      this.#told.set(id, event)
    })
    room.on('left', ({ error }) => this.wrong.push(`left: ${error.message}`))
  }

  /** Resolves when it is stored. */
  async say(letter: string): Promise<void> {
    await this.client.send(this.#room?.name ?? '', letter)
    this.stored.push(letter)
  }

  /** Says one thing after each pause until it is over, and waits while as many are under way as it lets be. */
  async publish(isOver: () => boolean, pauseMs: number): Promise<void> {
    while (!isOver()) {
      const letter = `${this.#name} ${++this.#sent}`
      const sending: Promise<unknown> = this.say(letter)
        .catch((error: unknown) => this.wrong.push(`${letter}: ${String(error)}`))
        .finally(() => this.#open.delete(sending))
      this.#open.add(sending)
      if (this.#open.size >= MAX_OPEN) await Promise.race(this.#open)
      await sleep(pauseMs)
    }
  }

  /** Who is in the room, as its server says. */
  async members(): Promise<readonly string[]> {
    const { members } = (await this.#room?.members()) ?? { members: [] }
    return members.map(({ id }) => id).sort()
  }

  async settled(): Promise<void> {
    await Promise.all(this.#open)
  }
}
