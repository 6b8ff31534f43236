/** Members who publish to a room and read it while a test kills what serves them, and what must hold of what they have read. */
import { expect } from 'vitest'
import { Member } from './member.ts'
import { until, type ServerProcess } from './server.ts'

const MEMBERS = 10
const ROOM = '#lobby'
/** ms until everybody must have read everything, once nothing is killed any more. */
const QUIET_MS = 60_000

export class Publishers {
  readonly members: readonly Member[]
  readonly #servers: readonly ServerProcess[]

  /** Spread over these servers, which are there. */
  constructor(servers: readonly ServerProcess[]) {
    this.#servers = servers
    this.members = Array.from({ length: MEMBERS }, (_, i) => new Member(servers[i % servers.length]!.url, `m${i}`))
  }

  /** Those who are at that server. */
  at(server: number): readonly Member[] {
    return this.members.filter((_, i) => i % this.#servers.length === server)
  }

  /** Every message whose sender was told that it is stored. */
  get stored(): readonly string[] {
    return this.members.flatMap(({ stored }) => stored)
  }

  async enter(): Promise<void> {
    await Promise.all(this.members.map(member => member.enter(ROOM)))
  }

  /** Resolves when each of `asked` is told that exactly these are in the room. */
  async areThere(asked: readonly Member[], of: readonly Member[], limitMs?: number): Promise<void> {
    const ids = of.map(({ client }) => client.id ?? '').sort()
    for (const one of asked) {
      const isTold = async (): Promise<boolean> => (await one.members().catch(() => [])).join() === ids.join()
      await until(isTold, `${of.length} are there`, limitMs)
    }
  }

  /** All of them publish while that lasts, one message each `pauseMs`; resolves when each message has its receipt. */
  async publishWhile(trouble: () => Promise<void>, pauseMs = 20): Promise<void> {
    let over = false
    const publishing = Promise.all(this.members.map(member => member.publish(() => over, pauseMs)))
    try {
      await trouble()
    } finally {
      over = true
      await publishing
    }
    await Promise.all(this.members.map(member => member.settled()))
  }

  /** Somebody who comes later, and reads the room from its beginning. */
  async latecomer(server: number): Promise<Member> {
    const member = new Member(this.#servers[server]!.url, 'late')
    await member.enter(ROOM)
    return member
  }

  /** Each has read each message that is stored once, and nothing went wrong. */
  async haveReadAll(readers: readonly Member[] = this.members): Promise<void> {
    const stored = this.stored.toSorted()
    await until(() => readers.every(({ read }) => read.length >= stored.length), 'all have read all', QUIET_MS)
    expect(readers.flatMap(({ wrong }) => wrong)).toEqual([])
    for (const { read } of readers) expect(read.toSorted()).toEqual(stored)
  }

  /** And all of them in one order. */
  async haveReadAlike(readers: readonly Member[] = this.members): Promise<void> {
    await this.haveReadAll(readers)
    const [first, ...others] = readers.map(({ read }) => read)
    for (const other of others) expect(other).toEqual(first)
  }

  async leave(): Promise<void> {
    await Promise.all(this.members.map(({ client }) => client.close()))
  }
}

/** Ends a server that must not have had any trouble of its own. */
export async function endWell(server: ServerProcess): Promise<void> {
  expect(await server.metric('ackd_exceptions_total')).toBe(0)
  expect((await server.kill('SIGTERM')).code).toBe(0)
  expect(server.log).not.toContain('a fault of this program')
}
