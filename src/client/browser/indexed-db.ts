/**
 * IndexedDB, as far as it is used here: its types, a connection that is opened again when it was lost, and transactions as promises.
 *
 * Its types are written out because the client is also compiled where there is no DOM.
 */
import { AckdError } from '../errors.ts'
import { FORMAT } from './words.ts'

export interface RequestLike<Result> {
  readonly result: Result
  readonly error: unknown
  onsuccess: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}

export interface ObjectStoreLike {
  get(key: string): RequestLike<unknown>
  getAll(): RequestLike<unknown[]>
  count(): RequestLike<number>
  put(value: unknown, key?: string): unknown
  delete(key: number | string): unknown
  clear(): unknown
}

interface TransactionLike {
  readonly error: unknown
  oncomplete: ((event: never) => void) | null
  onabort: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  objectStore(name: string): ObjectStoreLike
  abort(): void
  commit?(): void
}

interface ConnectionLike {
  onclose: ((event: never) => void) | null
  onversionchange: ((event: never) => void) | null
  createObjectStore(name: string, options: StoreOptions): unknown
  transaction(names: readonly string[], mode: Mode, options: { durability: 'strict' | 'relaxed' }): TransactionLike
  close(): void
}

interface OpenRequestLike extends RequestLike<ConnectionLike> {
  onupgradeneeded: ((event: never) => void) | null
}

export interface IndexedDbLike {
  open(name: string, version: number): OpenRequestLike
}

type Mode = 'readonly' | 'readwrite'

export interface StoreOptions {
  readonly keyPath?: string
  readonly autoIncrement?: boolean
}

/** Names and options of the stores of a database. */
export type Layout = Readonly<Record<string, StoreOptions>>

export interface TransactionOptions {
  readonly mode: Mode
  /** The stores that it uses. One that needs few waits for few others. */
  readonly stores: readonly string[]
  /** A crash of the machine must not undo it. */
  readonly durable?: boolean
  /**
   * What is asked for within the call is all there is, and happens even if the page goes at once. Other transactions that a page has
   * not finished when it goes are undone.
   */
  readonly hurry?: boolean
}

/** What may be done within a transaction. */
export interface Stores {
  store(name: string): ObjectStoreLike
  /** Undoes everything. The transaction then rejects with that. */
  abort(reason: Error): void
}

/** ms; a browser that has not opened a database until then does not open it at all. */
const OPEN_MS = 5_000
/**
 * ms; a transaction that has not ended until then was forgotten by the browser, with its connection; and so was one that has failed and is
 * not aborted then, as happens when the data of the origin are deleted.
 */
const RUN_MS = 10_000
const ABORT_MS = 500
/** A later version of the library with another layout, or other records, has another one. */
const VERSION = FORMAT

export class IndexedDb {
  readonly #factory: IndexedDbLike
  readonly #name: string
  readonly #layout: Layout
  readonly #version: number
  readonly #outdated: () => void
  #opening: Promise<ConnectionLike> | null = null
  #connection: ConnectionLike | null = null

  /**
   * `outdated` is called while the connection is still there when a page with a later version of the library wants the database, or has
   * had it: from then on everything rejects with that code.
   */
  constructor(factory: IndexedDbLike, name: string, layout: Layout, outdated: () => void, version = VERSION) {
    this.#version = version
    this.#factory = factory
    this.#name = name
    this.#layout = layout
    this.#outdated = outdated
  }

  /** Resolves when it is open; rejects when it cannot be opened. */
  async open(): Promise<void> {
    await this.#open()
  }

  /**
   * Runs a transaction and resolves, when it is complete, with what `read` says then. `work` asks for things; their
   * results are there for `read`. A connection that is open is used within the call.
   */
  run<Result>(options: TransactionOptions, work: (stores: Stores) => () => Result): Promise<Result> {
    const transaction = this.#connection && this.#begin(this.#connection, options)
    if (transaction) return this.#watched(run(transaction, options, work))
    return this.#open().then(connection => this.#watched(run(begin(connection, options), options, work)))
  }

  /** Transactions that run are completed. The next call opens it again. */
  close(): void {
    this.#connection?.close()
    this.#connection = this.#opening = null
  }

  #open(): Promise<ConnectionLike> {
    this.#opening ??= this.#connect()
    this.#opening.catch(() => (this.#opening = null))
    return this.#opening
  }

  #connect(): Promise<ConnectionLike> {
    return new Promise((resolve, reject) => {
      const request = this.#factory.open(this.#name, this.#version)
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(new Error('The database does not open.'))
      }, OPEN_MS)
      request.onupgradeneeded = () => {
        for (const [name, options] of Object.entries(this.#layout)) {
          request.result.createObjectStore(name, options)
        }
      }
      request.onerror = () => {
        clearTimeout(timer)
        if (!isVersionError(request.error)) return reject(reasonOf(request.error))
        reject(new AckdError('outdated'))
        this.#outdated()
      }
      request.onsuccess = () => {
        clearTimeout(timer)
        if (late) return request.result.close()
        this.#opened(request.result)
        resolve(request.result)
      }
    })
  }

  #opened(connection: ConnectionLike): void {
    const lost = (): void => {
      if (this.#connection === connection) this.close()
    }
    connection.onclose = lost
    // Somebody wants to delete it, or knows a later version.
    connection.onversionchange = ({ newVersion }: { readonly newVersion: number | null }) => {
      if (newVersion !== null && this.#connection === connection) this.#outdated()
      lost()
    }
    this.#connection = connection
  }

  /** After a failure the next transaction has a connection of its own. */
  async #watched<Result>(work: Promise<Result>): Promise<Result> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('The database does not answer.')), RUN_MS)
    })
    try {
      return await Promise.race([work, late])
    } catch (error) {
      this.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Null when the connection was lost, which is not always told at once. */
  #begin(connection: ConnectionLike, options: TransactionOptions): TransactionLike | null {
    try {
      return begin(connection, options)
    } catch {
      this.close()
      return null
    }
  }
}

function begin(connection: ConnectionLike, { mode, stores, durable }: TransactionOptions): TransactionLike {
  return connection.transaction(stores, mode, { durability: durable === true ? 'strict' : 'relaxed' })
}

function run<Result>(
  transaction: TransactionLike,
  { hurry }: TransactionOptions,
  work: (stores: Stores) => () => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let reason: Error | null = null
    const abort = (error: Error): void => {
      transaction.abort()
      reason = error
    }
    transaction.onabort = () => reject(reason ?? reasonOf(transaction.error))
    transaction.onerror = () =>
      setTimeout(() => reject(new Error('The database is gone.', { cause: transaction.error })), ABORT_MS)
    try {
      const read = work({ store: name => transaction.objectStore(name), abort })
      transaction.oncomplete = () => resolve(read())
      if (hurry === true) transaction.commit?.()
    } catch (error) {
      // What was asked for before must not be done alone.
      abort(reasonOf(error))
    }
  })
}

function isVersionError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'VersionError'
}

function reasonOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
