/**
 * The client library for Node: the same client, with WebSockets on every version of Node and, with `dir`, a place on disk for all that
 * must outlive the process.
 */
import { Client, type ClientOptions } from './client.ts'
import { directoryKeeper, type DirectoryOptions } from './directory.node.ts'
import { AckdError } from './errors.ts'
import { memoryIdentity } from './identity.ts'
import { openWebSocket } from './sockets.node.ts'

export { AckdError, type AckdErrorCode } from './errors.ts'
export type { Client, ClientEvents, ClientOptions, Gap, Receipt, Signal } from './client.ts'
export type { Status } from './connector.ts'
export type { Message, MessageHandler } from './deliveries.ts'
export { memoryIdentity, type Identity, type IdentityStore } from './identity.ts'
export type { Keeper } from './keeper.ts'
export type { Ending, Sent } from './sends.ts'
export type { OpenSocket, Socket, SocketEvents } from './sockets.ts'

export interface NodeOptions extends Partial<ClientOptions>, DirectoryOptions {
  /** A directory of this client's own, for its identity, its outbox and how far it has read. Without one nothing outlives the process. */
  readonly dir?: string
}

/**
 * Returns at once; the client connects by itself and comes back for ever. Throws an AckdError when the address cannot be one, and
 * when the directory is in use by another client, cannot be written or is damaged.
 */
export function connect<Payload = unknown>(url: string, options: NodeOptions = {}): Client<Payload> {
  const { dir, fsync, ...rest } = options
  checkUrl(url, options.openSocket === undefined)
  const openSocket = options.openSocket ?? openWebSocket
  const identity = options.identity ?? memoryIdentity()
  const keeper = options.keeper ?? (dir === undefined ? null : directoryKeeper(dir, { fsync: fsync ?? true }))
  try {
    return new Client<Payload>(url, { ...rest, openSocket, identity, ...(keeper && { keeper }) })
  } catch (error) {
    keeper?.close()
    throw error
  }
}

function checkUrl(url: string, webSocket: boolean): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  if (webSocket ? protocol === 'ws:' || protocol === 'wss:' : protocol !== '') return
  throw new AckdError('bad_url', url.slice(0, 200))
}
