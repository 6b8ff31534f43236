/** What the tests of the stores share: messages, sessions, and a store with a clock of its own for each test. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect } from 'vitest'

import type { Account } from '../../src/store/account-store.ts'
import { streamName, type BindRequest, type BindResult, type Entry, type Parcel } from '../../src/protocol/mailbox.ts'
import type { RoomSettings } from '../../src/protocol/rooms.ts'
import { defaultStoreLimits, type Store, type StoreLimits } from '../../src/store/store.ts'

export interface Opened {
  readonly store: Store
  /** Closes the store and opens it again on what is kept; absent where nothing is. */
  readonly reopen?: () => Promise<Store>
  close(): Promise<void>
}

export type Open = (limits: StoreLimits, clock: () => number) => Promise<Opened>

export const stream = streamName('alice', 'outbox-1')
export const START = 1_800_000_000_000

export function hash(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

let nonces = 0

export function bindRequest(id: string, change: Partial<BindRequest> = {}): BindRequest {
  const proof = { kind: 'secret', hash: hash(`secret of ${id}`) } as const
  return { id, proof, create: false, node: 'n1', nonce: `nonce-${++nonces}`, outbox: 'outbox-b', attempt: 0, ...change }
}

export function parcel(n: number, change: Partial<Parcel> & { readonly text?: string } = {}): Parcel {
  const { text = `message ${n}`, ...rest } = change
  const bytes = Buffer.from(`<${text}>`)
  return {
    stream,
    n,
    floor: 1,
    time: START + n,
    expires: 0,
    body: { bytes, start: 1, end: bytes.length - 1, text: true },
    repeated: false,
    ...rest,
  }
}

export function parcels(from: number, to: number): Parcel[] {
  return Array.from({ length: to - from + 1 }, (_, index) => parcel(from + index))
}

let epochs = 0

export function roomSettings(change: Partial<RoomSettings> = {}): RoomSettings {
  const epoch = `epoch-${++epochs}`
  return { owner: '', private: false, password: '', messages: 1_000, created: START, epoch, ...change }
}

export function textOf({ body }: Pick<Entry, 'body'>): string | null {
  return body === null ? null : Buffer.from(body.bytes.subarray(body.start, body.end)).toString()
}

export function tokenOf(result: BindResult): string {
  if (result.kind !== 'bound') throw new Error(`not bound: ${result.kind}`)
  return result.token
}

/** Registers an id and returns the token of the session that did. */
export async function register(store: Store, id: string): Promise<string> {
  return tokenOf(await store.bind(bindRequest(id, { create: true })))
}

export async function page(store: Store, id: string, token: string, after = 0, limit = 1000, maxBytes = 1e9) {
  const result = await store.page(id, token, after, limit, maxBytes)
  if (result.kind !== 'page') throw new Error('stale')
  return result
}

/** The log to which `parker.ts` appended has all that it promised, in order and without holes. */
export async function expectWholeLog(store: Store, promised: number): Promise<void> {
  const page = await store.rooms.page('#hall', { after: 0, limit: 1e6, maxBytes: 1e9 })
  if (page === null) throw new Error('there is no room')
  const { entries, first, last } = page
  expect(last).toBeGreaterThanOrEqual(promised)
  expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, index) => first + index))
  // Each number was appended once, so it is its own offset.
  expect(entries.map(({ n }) => n)).toEqual(entries.map(({ offset }) => offset))
  expect(entries.at(-1)?.offset ?? 0).toBe(last)
}

/** Few enough that the tests can meet them. */
export const limits: StoreLimits = {
  ...defaultStoreLimits,
  mailboxMessages: 50,
  mailboxBytes: 2_000,
  streams: 8,
  lost: 5,
  deadLetters: 2,
  rooms: { messages: 20, lifeMs: 1_000_000, streams: 8, rooms: 8, owned: 3 },
}

/** A fresh store for each test of a file, and the time that it goes by. */
export class Bench {
  now = START
  #opened: Opened | null = null
  #store: Store | null = null

  get store(): Store {
    if (this.#store === null) throw new Error('only inside a test')
    return this.#store
  }

  async open(open: Open): Promise<void> {
    this.now = START
    this.#opened = await open(limits, () => this.now)
    this.#store = this.#opened.store
  }

  /** False where nothing is kept. */
  async reopen(): Promise<boolean> {
    this.#store = (await this.#opened?.reopen?.()) ?? this.#store
    return this.#opened?.reopen !== undefined
  }

  async close(): Promise<void> {
    await this.#opened?.close()
  }
}

export function setUp(open: Open): Bench {
  const bench = new Bench()
  beforeEach(() => bench.open(open))
  afterEach(() => bench.close())
  return bench
}

/** An account with that hash for its password. */
export function accountOf(id: string, password: string): Account {
  return { id, password, created: START, changed: START, admin: false, disabled: false }
}
