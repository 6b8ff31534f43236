/**
 * The log: JSON lines on stderr, so that stdout holds nothing but the line that says the server is ready.
 *
 * Never a body, a secret or a token: what is logged is named field by field, and no frame is ever passed to the log as a whole.
 */
import { destination, pino } from 'pino'
import { StoreError } from '../store/store.ts'

/** What the shell needs of a logger. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'

/** Written at once, not buffered: a process that is killed has said everything. */
export function createLog(level: LogLevel): Log {
  return pino({ level, base: null }, destination({ dest: 2, sync: true }))
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
