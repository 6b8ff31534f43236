/**
 * The log: JSON lines on stderr, so that stdout holds nothing but the line that says the server is ready.
 *
 * Never a body, a secret or a token: what is logged is named field by field, and no frame is ever passed to the log as a whole.
 */
import { destination, pino, stdTimeFunctions } from 'pino'
import type { AuditSink } from './audit.ts'
import { StoreError } from '../store/store.ts'

/** What the shell needs of a logger. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'

/** A log that can be told to say more, or less. */
export interface LeveledLog extends Log {
  level: string
}

/** Written at once, not buffered: a process that is killed has said everything. */
export function createLog(level: LogLevel): LeveledLog {
  return pino({ level, base: null }, destination({ dest: 2, sync: true }))
}

/**
 * Where the audit log goes: `stderr`, or a file that is appended to and readable by its owner only. Throws when the file cannot be
 * opened; what cannot be written later is told to `failed`.
 */
export function openAuditSink(where: string, failed: (error: unknown) => void): AuditSink {
  const stream =
    where === 'stderr' ? destination({ dest: 2, sync: true }) : destination({ dest: where, sync: true, mode: 0o600 })
  stream.on('error', failed)
  const lines = pino(
    { base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: () => ({ log: 'audit' }) } },
    stream,
  )
  return {
    write: fields => lines.info(fields),
    reopen: () => where === 'stderr' || stream.reopen(),
  }
}

/** For tests. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What a log line says of something that was thrown. */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { error: String(error) }
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {}
  // What the store cannot do is no fault of this program, so where it was noticed says nothing.
  if (error instanceof StoreError) return { error: error.message, fix: error.fix, ...cause }
  return { error: error.message, stack: error.stack, ...cause }
}
