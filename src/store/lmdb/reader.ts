/**
 * Looks into a data directory without owning it, also while a server runs on it: for the command line.
 *
 * It sees what was committed when it was asked, and nothing of who is connected, which only the server knows. LMDB makes a reader
 * safe beside a writer; when no server runs, the file is checked for damage first, as a server would.
 */
import { existsSync } from 'node:fs'

import type { Entry } from '../../protocol/mailbox.ts'
import { checkFile, dataFiles } from './directory.ts'
import { openEnvironment } from './environment.ts'
import { isLocked } from './lock.ts'
import { Numbers } from './numbers.ts'
import { LmdbTables } from './tables.ts'
import { storeError } from './writer.ts'
import { defaultStoreLimits, StoreError, type ClientRecord, type StoreLimits } from '../store.ts'

/** The part of `Store` that only looks. Throws `StoreError` at what is damaged. */
export interface MailboxReader {
  mailboxes(after: string, limit: number): readonly ClientRecord[]
  client(id: string): ClientRecord | null
  view(id: string, after: number, limit: number): readonly Entry[]
  deadLetters(id: string): readonly Entry[]
  close(): Promise<void>
}

const MAP_BYTES = 2 ** 30
const VERIFY_MS = 5_000

export function openLmdbReader(
  directory: string,
  limits: StoreLimits = defaultStoreLimits,
  clock = Date.now,
): MailboxReader {
  const { data, lock } = dataFiles(directory)
  if (!existsSync(data)) {
    throw new StoreError(
      `There is no data file in ${directory}.`,
      'Run this where the server was started, or name its data directory: --data-dir, or ACKD_DATA_DIR.',
    )
  }
  if (!isLocked(lock)) checkFile(directory, { mapBytes: MAP_BYTES, verifyMs: VERIFY_MS, onNote: () => {} })
  const environment = openEnvironment(data, { readOnly: true, mapBytes: MAP_BYTES })
  // A new one for each question, since what it caches is not kept up with the server.
  const ask = <T>(question: (tables: LmdbTables) => T): T => {
    try {
      return question(new LmdbTables(environment, new Numbers(environment), limits, clock))
    } catch (error) {
      throw storeError(error)
    }
  }
  return {
    mailboxes: (after, limit) => ask(tables => tables.mailboxes(after, limit)),
    client: id => ask(tables => tables.client(id)),
    view: (id, after, limit) => ask(tables => tables.view(id, after, limit)),
    deadLetters: id => ask(tables => tables.deadLetters(id)),
    close: () => environment.close(),
  }
}
