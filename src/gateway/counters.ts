/**
 * What the shell counts, as plain integers that the hot path only adds to. `metrics.ts` copies them when somebody asks.
 */
import type { CloseName } from '../protocol/errors.ts'

export class Counters {
  /** Live connections, by transport. */
  readonly connections: Record<string, number> = {}
  /** Connections that the server closed, by the name of the close. */
  readonly closes = zeroes()
  packetsIn = 0
  packetsOut = 0
  bytesIn = 0
  bytesOut = 0
  /** Frames refused for their rate. */
  framesLimited = 0
  /** HTTP requests refused for their rate. */
  requestsLimited = 0
  /** Web pages that were not let in. */
  originsRefused = 0
  /** Pipes given up because a packet was dropped. */
  writesDropped = 0
  /** Messages posted over HTTP, by what became of them. */
  readonly posts = { stored: 0, repeated: 0, refused: 0, unavailable: 0 }
  /** Exceptions that reached the shell; each is a fault of this program and is in the log. */
  exceptions = 0
}

/** One zero for each close, written out so that a new name cannot be forgotten. */
function zeroes(): Record<CloseName, number> {
  return {
    restart: 0,
    overloaded: 0,
    unavailable: 0,
    timeout: 0,
    idle: 0,
    slow: 0,
    ack_timeout: 0,
    replaced: 0,
    bad_secret: 0,
    unauthorized: 0,
    bad_frame: 0,
    too_large: 0,
    flood: 0,
    kicked: 0,
    version: 0,
  }
}
