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

/** The databases as a process sees them: once it is dead, nothing that it asks for happens. */
export function databasesOf(databases: Databases, dead: () => boolean): IndexedDbLike {
  return {
    open: (name, version) => {
      const request = databases.open(name, version)
      const target = request as unknown as EventTarget
      target.addEventListener('success', () => undo(request.result, dead))
      return request
    },
  }
}

function undo(connection: Connection, when: () => boolean): void {
  const begin = connection.transaction.bind(connection)
  connection.transaction = (...options) => {
    const transaction = begin(...options)
    if (when()) transaction.abort()
    return transaction
  }
}
