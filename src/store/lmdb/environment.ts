/**
 * LMDB as the store uses it, and the only file that knows the driver: one table of binary keys and values, one writer.
 *
 * Commits are the classical ones of LMDB (`overlappingSync` off): pages are written and synced, and only then the page that makes
 * them count is written, synced as well. So a transaction that failed, for want of space or by an I/O error at any step, has
 * not happened, and one whose promise has resolved survives a loss of power. The driver's overlapped mode answers a
 * little sooner under load, but there a transaction can be seen by the next one before its sync has failed.
 *
 * A callback runs on the main thread, inside the transaction; commit and sync happen on another thread. It runs as a
 * nested transaction, because the driver commits what a throwing callback has written otherwise.
 */
import { open } from 'lmdb'

/** Key and value belong to the caller; in `put` both are copied before it returns. */
export interface Table {
  get(key: Uint8Array): Buffer | undefined
  /** May be handed on as it is. */
  readonly put: (key: Uint8Array, value: Uint8Array) => void
  remove(key: Uint8Array): void
  /** In the order of the bytes, from `start` up to but without `end`. Do not write before it is exhausted. */
  range(start: Uint8Array, end: Uint8Array, limit?: number): Iterable<{ key: Uint8Array; value: Buffer }>
  /** The other way: from `start` down to but without `end`. */
  back(start: Uint8Array, end: Uint8Array): Iterable<{ key: Uint8Array; value: Buffer }>
}

export interface Environment extends Table {
  /**
   * Runs the callback at some later time with nothing else being written, and resolves when what it wrote is on the disk.
   * When it rejects, nothing was written. Only one at a time may be under way.
   */
  transaction<T>(run: () => T): Promise<T>
  close(): Promise<void>
}

export interface EnvironmentOptions {
  readonly readOnly: boolean
  /** Address space for the file, at first; the driver takes more when it grows beyond. */
  readonly mapBytes: number
}

/** Processes and threads that read at the same time. */
const MAX_READERS = 126

export function openEnvironment(path: string, { readOnly, mapBytes }: EnvironmentOptions): Environment {
  const options = {
    path,
    noSubdir: true,
    readOnly,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: 1,
    maxReaders: MAX_READERS,
    mapSize: mapBytes,
    overlappingSync: false,
    // Its batches make promises that nobody can reach, which are unhandled when a commit fails.
    eventTurnBatching: false,
    permissionsMode: 0o600,
  } as const
  const database = open<Buffer, Uint8Array>(options)
  return {
    get: key => database.getBinary(key),
    put: (key, value) => {
      database.putSync(key, value as Buffer)
    },
    remove: key => {
      database.removeSync(key)
    },
    range: (start, end, limit) => database.getRange(limit === undefined ? { start, end } : { start, end, limit }),
    back: (start, end) => database.getRange({ start, end, reverse: true }),
    transaction: run => quietly(database.childTransaction(run)),
    close: () => database.close(),
  }
}

/** The driver hangs the cause on the error as a promise of its own, which nobody may leave unhandled. */
async function quietly<T>(transaction: Promise<T>): Promise<T> {
  try {
    return await transaction
  } catch (error) {
    if (error instanceof Error && 'commitError' in error && error.commitError instanceof Promise)
      await error.commitError
    throw error
  }
}
