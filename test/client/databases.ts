/** An IndexedDB implementation for tests, and what it looks like to a process that dies. */
import * as fake from 'fake-indexeddb'
import type { IndexedDbLike } from '../../src/client/browser/indexed-db.ts'

export interface Databases extends IndexedDbLike {
  deleteDatabase(name: string): { onsuccess: (() => void) | null }
}

// The types of the package want those of a browser, which are not here.
const { IDBFactory } = fake as unknown as { readonly IDBFactory: new () => Databases }

export function newDatabases(): Databases {
  return new IDBFactory()
}

type Connection = ReturnType<IndexedDbLike['open']>['result']
type Transaction = ReturnType<Connection['transaction']>

/** When in the course of a transaction a process dies: nothing of it happens, or all of it, and nobody hears of either. */
export type Step = 'before' | 'midst' | 'after'

export interface Process {
  readonly dead: boolean
  /** Asked once for each transaction: in which step of it the process dies, if it does. */
  fate(): Step | null
  die(): void
}

/** The databases as a process sees them: once it is dead, nothing that it asks for happens. */
export function databasesOf(databases: Databases, process: Process): IndexedDbLike {
  return {
    open: (name, version) => {
      const request = databases.open(name, version)
      const target = request as unknown as EventTarget
      target.addEventListener('success', () => watch(request.result, process))
      return request
    },
  }
}

function watch(connection: Connection, process: Process): void {
  const begin = connection.transaction.bind(connection)
  connection.transaction = (...options) => {
    const transaction = begin(...options)
    const step = process.dead ? null : process.fate()
    if (step === 'before') process.die()
    if (process.dead) transaction.abort()
    else if (step !== null) dieIn(transaction, step, process)
    return transaction
  }
}

function dieIn(transaction: Transaction, step: Step, process: Process): void {
  const target = transaction as unknown as EventTarget
  if (step === 'after') {
    // Listens before anybody else does.
    target.addEventListener('complete', event => {
      process.die()
      event.stopImmediatePropagation()
    })
  } else {
    queueMicrotask(() => {
      process.die()
      try {
        transaction.abort()
      } catch {
        // It was undone already.
      }
    })
  }
}
