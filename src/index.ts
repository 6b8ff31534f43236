/**
 * The public door of the package: start a server from a program. The client library is `ackd/client`.
 *
 *   import { startServer } from 'ackd'
 *   const server = await startServer({ port: 0 })
 *   console.log(server.ws)
 */
export { readyLine, startServer, type Server } from './server.ts'
export { closeOnSignals } from './signals.ts'
export { OptionError, readOptions, type OptionSources } from './option-sources.ts'
export type { Options } from './options.ts'
export { ListenError } from './transport/transport.ts'
export { GuardError } from './gateway/guard.ts'
export { StoreError } from './store/store.ts'
