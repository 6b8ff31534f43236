/** What the process of a server does at signals, and at an exception that nobody caught. */
import { writeSync } from 'node:fs'
import type { Options } from './options.ts'
import type { Server } from './server.ts'

/** ms; the last resort of a shutdown, in which everything else has its own limit. */
const SHUTDOWN_MS = 25_000

/**
 * Closes the server at SIGTERM or SIGINT and exits with 0; a second signal ends it at once, which loses nothing either, only the
 * goodbyes. SIGHUP reads anew what can be, but from a terminal it says that the terminal is gone, and closes the server too. An
 * exception that nobody caught ends it at once as well, after a word on stderr. `read` gives the options as they are by then.
 */
export function closeOnSignals(server: Server, read?: () => Options): void {
  let closing = false
  const onSignal = (): void => {
    if (closing) endAtOnce()
    closing = true
    setTimeout(endAtOnce, SHUTDOWN_MS).unref()
    server.close().then(() => process.exit(0), endAtOnce)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('SIGHUP', process.stdout.isTTY ? onSignal : () => server.reload(read))
  process.on('uncaughtException', error => {
    writeSync(process.stderr.fd, `A fault of this program ends it; please report it: ${error.stack ?? String(error)}\n`)
    endAtOnce()
  })
}

/**
 * Not by `process.exit`: that waits for the threads of the store, and one that is in the midst of a transaction waits for this very
 * thread, so that neither would ever end.
 */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL')
}
