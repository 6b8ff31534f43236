/**
 * The client library for Node: the same client, over WebSockets on every version of Node, TCP or TLS and, with `dir`, with a place on
 * disk for all that must outlive the process.
 */
import { Client, type ClientOptions } from './client.ts'
import { directoryKeeper, type DirectoryOptions } from './directory.node.ts'
import { AckdError } from './errors.ts'
import { memoryIdentity } from './identity.ts'
import { Office } from './browser/office.ts'
import { nodeProtocols, nodeSockets, type TlsTrust } from './sockets.node.ts'

export { AckdError, type AckdErrorCode } from './errors.ts'
export type { Client, ClientEvents, ClientOptions, Receipt, SendOptions, Signal } from './client.ts'
export type { Status } from './connector.ts'
export type { Gap } from './courier.ts'
export type { Message, MessageHandler } from './deliveries.ts'
export { memoryIdentity, type Identity, type IdentityStore } from './identity.ts'
export type { Keeper } from './keeper.ts'
export type { Ending, Sent } from './sends.ts'
export type { RoomMessage } from './rooms/feed.ts'
export type { Room, RoomEvents, RoomGap, RoomHandler } from './rooms/room.ts'
export type { HistoryReply, JoinReply, Member, MemberPage, RoomInfo, RoomList } from './rooms/replies.ts'
export type { Rooms, RoomOptions } from './rooms/rooms.ts'
export type { OpenSocket, Socket, SocketEvents } from './sockets.ts'
export type { TlsTrust } from './sockets.node.ts'

export interface NodeOptions extends Partial<ClientOptions>, DirectoryOptions {
  /** A directory of this client's own, for its identity, its outbox and how far it has read. Without one nothing outlives the process. */
  readonly dir?: string
  /** Whom to trust, and what to show, at `wss://` and `tls://`. */
  readonly tls?: TlsTrust
}

/**
 * Takes `ws://`, `wss://`, `tcp://` and `tls://`. Returns at once; the client connects by itself and comes back for ever. Throws an AckdError when the address cannot be one, and
 * when the directory is in use by another client, cannot be written or is damaged.
 */
export function connect<Payload = unknown>(url: string, options: NodeOptions = {}): Client<Payload> {
  const { dir, fsync, tls = {}, ...rest } = options
  checkUrl(url, options.openSocket === undefined)
  const openSocket = options.openSocket ?? nodeSockets(tls)
  const identity = options.identity ?? memoryIdentity()
  const keeper = options.keeper ?? (dir === undefined ? null : directoryKeeper(dir, { fsync: fsync ?? true }))
  try {
    const office = { ...rest, openSocket, identity, ...(keeper && { keeper }) }
    return new Client<Payload>(events => new Office(url, office, events), rest)
  } catch (error) {
    keeper?.close()
    throw error
  }
}

function checkUrl(url: string, ownSockets: boolean): void {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' }
  if (ownSockets ? nodeProtocols.includes(protocol) && hostname !== '' : protocol !== '') return
  throw new AckdError('bad_url', url.slice(0, 200))
}
