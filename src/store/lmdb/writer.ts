/**
 * Group commit: the calls that change something wait here, and many of them share one transaction and so one sync of the disk.
 *
 * While one transaction is being written, the next calls gather; they are the next transaction. One at a time, because
 * the second would be built on what the first has cached before it is known whether the first is on the disk. Calls run in the
 * order in which they were made, and each is answered after the commit. A call that has waited for too long is refused instead: whoever
 * made it has given up and asks again, and a disk that is behind must not do everything twice.
 */
import type { Environment } from './environment.ts'
import { DamagedRecord } from './records.ts'
import { StoreError } from '../store.ts'

/** Calls and bytes of bodies of one transaction, so that the loop is not held for long. */
const BATCH_CALLS = 1_024
const BATCH_BYTES = 4 * 1024 * 1024

/** What may wait; more is refused. */
const WAITING_CALLS = 65_536
const WAITING_BYTES = 128 * 1024 * 1024

/** ms between two looks for calls that have waited for too long. */
const LOOK_MS = 250

/** The disk is taken for stuck when a transaction takes longer. */
const PATIENCE_MS = 30_000

/** What is cached of the file, and must not be believed any more when a transaction fails. */
export interface Cached {
  /** Runs what changes something; to be followed by `settle` when it is known whether it was committed. */
  change(run: () => void): void
  settle(committed: boolean): void
}

interface Call {
  readonly id: string
  readonly bytes: number
  /** Monotonic ms from which on nobody waits for it. */
  readonly deadline: number
  /** Does it, and keeps the answer. */
  run(): void
  /** Gives the answer that was kept. */
  answer(): void
  fail(error: StoreError): void
}

export class LmdbWriter {
  readonly #environment: Environment
  readonly #cached: Cached
  readonly #onDamaged: (key: Uint8Array) => void
  readonly #patienceMs: number
  #lookedAt = 0
  #waiting: Call[] = []
  #waitingBytes = 0
  /** How many calls of each id are not answered yet. */
  readonly #ids = new Map<string, number>()
  #writing: Promise<void> | null = null
  /** What is in the transaction that is under way. */
  #batch: Call[] = []
  #changesAll = false
  #running: Call | null = null
  /** Set while a transaction takes too long. */
  #stuck: StoreError | null = null
  /** What was in it. It is cached, and may never be on the disk: until that is known, its ids wait. */
  #givenUp: Call[] = []

  /** `onDamaged` moves aside what stands under that key; it runs inside a transaction. `patienceMs`: how long a call may wait for its turn. */
  constructor(environment: Environment, cached: Cached, onDamaged: (key: Uint8Array) => void, patienceMs: number) {
    this.#environment = environment
    this.#cached = cached
    this.#onDamaged = onDamaged
    this.#patienceMs = patienceMs
  }

  /**
   * Resolves with what `run` returned, once that is durable. `bytes`: about what it will write. The empty id is that of all.
   * `mayBeLate`: nobody would ask again, so it waits however long it takes.
   */
  write<T>(id: string, bytes: number, run: () => T, mayBeLate = false): Promise<T> {
    if (this.#stuck !== null) return Promise.reject(this.#stuck)
    const now = performance.now()
    this.#refuseLate(now)
    if (this.#waiting.length >= WAITING_CALLS || this.#waitingBytes + bytes > WAITING_BYTES) {
      return Promise.reject(behind())
    }
    return new Promise<T>((resolve, reject) => {
      let result: T
      this.#waiting.push({
        id,
        bytes,
        deadline: mayBeLate ? Infinity : now + this.#patienceMs,
        run: () => {
          result = run()
        },
        answer: () => {
          this.#unwait(id)
          resolve(result)
        },
        fail: error => {
          this.#unwait(id)
          reject(error)
        },
      })
      this.#wait(id)
      this.#waitingBytes += bytes
      this.#writing ??= this.#writeAll()
    })
  }

  /** Whether a call for that id is still to be answered, or was given up and may be written or not. */
  waits(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Whether the transaction that is under way may change something of any id. */
  get changesAll(): boolean {
    return this.#changesAll
  }

  /** Waits for what is under way. */
  async drain(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeBatch()
    this.#writing = null
  }

  async #writeBatch(): Promise<void> {
    const late = setTimeout(() => this.#giveUp(), PATIENCE_MS)
    try {
      await this.#transaction(() => {
        this.#refuseLate(performance.now())
        this.#batch = this.#take()
        this.#changesAll = this.#batch.some(({ id }) => id === '')
        for (const call of this.#batch) {
          this.#running = call
          call.run()
        }
      })
      for (const call of this.#batch) call.answer()
    } catch (error) {
      if (error instanceof DamagedRecord) await this.#repair(error)
      else for (const call of this.#batch.length > 0 ? this.#batch : this.#take()) call.fail(storeError(error))
    } finally {
      clearTimeout(late)
      for (const { id } of this.#givenUp) this.#unwait(id)
      this.#givenUp = []
      this.#batch = []
      this.#changesAll = false
      this.#stuck = null
    }
  }

  async #transaction(run: () => void): Promise<void> {
    try {
      await this.#environment.transaction(() => this.#cached.change(run))
      this.#cached.settle(true)
    } catch (error) {
      this.#cached.settle(false)
      throw error
    }
  }

  /** Moves a damaged message aside, or fails the call that met what cannot be. The rest of the batch is written again. */
  async #repair(damaged: DamagedRecord): Promise<void> {
    const poisoned = this.#running
    this.#waiting.unshift(...this.#batch.filter(call => damaged.entryKey !== null || call !== poisoned))
    if (damaged.entryKey === null) {
      poisoned?.fail(storeError(damaged))
      return
    }
    const key = damaged.entryKey
    try {
      await this.#transaction(() => this.#onDamaged(key))
    } catch (error) {
      for (const call of this.#take()) call.fail(storeError(error))
    }
  }

  #wait(id: string): void {
    this.#ids.set(id, (this.#ids.get(id) ?? 0) + 1)
  }

  #unwait(id: string): void {
    const left = (this.#ids.get(id) ?? 0) - 1
    if (left > 0) this.#ids.set(id, left)
    else this.#ids.delete(id)
  }

  /** What is late is not always in front: a few calls wait however long it takes. */
  #refuseLate(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = now
    const late = this.#waiting.filter(({ deadline }) => deadline <= now)
    if (late.length === 0) return
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now)
    for (const call of late) {
      this.#waitingBytes = Math.max(0, this.#waitingBytes - call.bytes)
      call.fail(behind())
    }
  }

  #take(): Call[] {
    let calls = 0
    let bytes = 0
    for (const call of this.#waiting) {
      if (calls >= BATCH_CALLS || bytes >= BATCH_BYTES) break
      calls++
      bytes += call.bytes
    }
    this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes)
    return this.#waiting.splice(0, calls)
  }

  #giveUp(): void {
    this.#stuck = new StoreError(
      `The disk has not taken a write for ${PATIENCE_MS / 1000} s.`,
      'Check the disk of the data directory; if it is well, restart ackd.',
    )
    this.#givenUp = this.#batch
    for (const { id } of this.#givenUp) this.#wait(id)
    for (const call of [...this.#batch, ...this.#waiting]) call.fail(this.#stuck)
    this.#batch = []
    this.#waiting = []
    this.#waitingBytes = 0
  }
}

function behind(): StoreError {
  return new StoreError('The store has more to write than the disk takes.', 'Use a faster disk, or send less.')
}

const FIXES: readonly (readonly [pattern: RegExp, fix: string])[] = [
  [
    /No space left|Disk quota|File too large/,
    'Free some space on the disk of the data directory; ackd goes on by itself.',
  ],
  [/Input\/output error/, 'The disk is full or failing; free some space, and look into the log of the system.'],
  [/Read-only/, 'Make the file system of the data directory writable again.'],
]

export function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof DamagedRecord) {
    return new StoreError(
      `The data file is damaged: ${text}.`,
      'Stop ackd and restore a copy of the data directory.',
      error,
    )
  }
  const fix = FIXES.find(([pattern]) => pattern.test(text))?.[1]
  return new StoreError(
    `The store could not write: ${text}`,
    fix ?? 'Restart ackd; if it stays, restore a copy.',
    error,
  )
}
