/**
 * The data directory: who may open it, and when it is refused.
 *
 * Three files: `messages.mdb` (with LMDB's own lock file), `store.json`, which says that there was data and which, and `lock`. An
 * empty start must never be an accident, so a data file that is missing, emptied, damaged or another one than the marker names is
 * refused with a word on what to do.
 */
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { openEnvironment, type Environment } from './environment.ts'
import { verifyFile } from './file.ts'
import { acquireLock, type Lock } from './lock.ts'
import { FORMAT_KEY, LAST_KEY, Tag } from './records.ts'
import { StoreError } from '../store.ts'

/**
 * What is written. Before 2 each record of a mailbox held one message, and what wrote it would take several for damage. That is read and
 * goes on as it is; whoever wrote it can no longer open it from then on.
 */
const FORMAT = 2

export interface DataDirectory {
  readonly environment: Environment
  /** The keys of messages that were found damaged. */
  readonly damaged: readonly Uint8Array[]
  /** Writes a small record, to see whether writing works; inside a transaction. */
  touch(): void
  close(): Promise<void>
}

export interface DirectoryOptions {
  readonly mapBytes: number
  readonly verifyMs: number
  readonly onNote: (note: string) => void
}

/** The names of the files in a data directory. */
export function dataFiles(directory: string): { data: string; marker: string; lock: string } {
  return { data: join(directory, 'messages.mdb'), marker: join(directory, 'store.json'), lock: join(directory, 'lock') }
}

export async function openDirectory(directory: string, options: DirectoryOptions): Promise<DataDirectory> {
  const lock = prepare(directory)
  try {
    return await openLocked(directory, lock, options)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Checks a data file that is there; throws `StoreError` if it must not be used. Returns the keys of damaged messages. */
export function checkFile(directory: string, { verifyMs, onNote }: DirectoryOptions): readonly Uint8Array[] {
  const { data, marker } = dataFiles(directory)
  if (!existsSync(data) || statSync(data).size === 0) {
    if (existsSync(marker)) throw refusal(directory, 'is missing or empty, but there was data in it')
    return []
  }
  if (verifyMs === 0) return []
  try {
    const { complete, pages, bytes, damaged } = verifyFile(data, verifyMs)
    if (!complete)
      onNote(`${pages} pages of ${data} (${bytes} bytes) were checked; the rest is checked when it is read.`)
    return damaged
  } catch (error) {
    throw refusal(directory, `is damaged: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

function prepare(directory: string): Lock {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return acquireLock(dataFiles(directory).lock)
  } catch (error) {
    if (error instanceof StoreError) throw error
    const text = error instanceof Error ? error.message : String(error)
    throw new StoreError(`The data directory cannot be used: ${text}`, 'Make it writable, or name another one.', error)
  }
}

async function openLocked(directory: string, lock: Lock, options: DirectoryOptions): Promise<DataDirectory> {
  const { data } = dataFiles(directory)
  const damaged = checkFile(directory, options)
  const environment = openData(directory, options.mapBytes)
  try {
    await identify(directory, environment)
    for (const file of [data, `${data}-lock`]) chmodSync(file, 0o600)
  } catch (error) {
    await environment.close()
    throw error
  }
  return {
    environment,
    damaged,
    touch: () => environment.put(Uint8Array.of(Tag.format, 2), new Uint8Array(8)),
    close: async () => {
      await environment.close()
      lock.release()
    },
  }
}

function openData(directory: string, mapBytes: number): Environment {
  try {
    return openEnvironment(dataFiles(directory).data, { readOnly: false, mapBytes })
  } catch (error) {
    throw refusal(directory, `cannot be opened: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** Gives a new store its name, or compares that of a known one with the marker; says of an older one that it is of this format now. */
async function identify(directory: string, environment: Environment): Promise<void> {
  const { marker } = dataFiles(directory)
  const known = environment.get(FORMAT_KEY)?.toString('latin1')
  const marked = existsSync(marker) ? readFileSync(marker, 'latin1') : null
  if (known === undefined && (marked !== null || !isEmpty(environment))) {
    throw refusal(directory, 'does not say which store it is')
  }
  const name = known === undefined ? { format: 0, store: randomUUID() } : readName(known)
  if (name === null) throw refusal(directory, 'does not say which store it is')
  if (name.format > FORMAT) throw tooNew(directory, name.format)
  if (marked !== null && readName(marked)?.store !== name.store)
    throw refusal(directory, 'is not the one that store.json beside it was made with')
  const written = JSON.stringify({ format: FORMAT, store: name.store })
  if (known !== written) await environment.transaction(() => environment.put(FORMAT_KEY, Buffer.from(written)))
  if (marked !== written) writeMarker(directory, marker, written)
}

function readName(name: string): { readonly format: number; readonly store: string } | null {
  const [, format = '', store = ''] = /^\{"format":([1-9]\d*),"store":"([-\w]+)"\}$/.exec(name) ?? []
  return store === '' ? null : { format: Number(format), store }
}

/** Written after the data that it speaks of, and made durable, with the names of both files. */
function writeMarker(directory: string, marker: string, name: string): void {
  writeFileSync(`${marker}.new`, name, { mode: 0o600, flush: true })
  renameSync(`${marker}.new`, marker)
  const folder = openSync(directory, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function isEmpty(environment: Environment): boolean {
  return [...environment.range(Uint8Array.of(0), LAST_KEY, 1)].length === 0
}

function tooNew(directory: string, format: number): StoreError {
  return new StoreError(
    `The data file ${dataFiles(directory).data} has format ${format}, and this version of ackd knows none after ${FORMAT}.`,
    'Start the version of ackd that wrote it, or a newer one.',
  )
}

function refusal(directory: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    `The data file ${dataFiles(directory).data} ${what}.`,
    `Restore a copy of ${directory}, or move it aside to start empty; what waits in it is then not delivered.`,
    cause,
  )
}
