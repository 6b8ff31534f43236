/**
 * The client library for browsers. `index.node.ts` is the same for Node, with a place on disk.
 *
 *   const client = connect<Chat>('wss://chat.example/ws')
 *   client.on('message', async message => show(message.from, message.body))
 *   const sent = await client.send(friend, { text: 'hello' })
 */
import { Client, type ClientOptions } from './client.ts'
import { AckdError } from './errors.ts'
import { browserIdentity } from './identity.ts'
import { Office } from './office.ts'
import { webSockets, type OpenSocket, type WebSocketClass } from './sockets.ts'

export { AckdError, type AckdErrorCode } from './errors.ts'
export type { Client, ClientEvents, Receipt, SendOptions, Signal } from './client.ts'
export type { Status } from './connector.ts'
export type { Gap } from './courier.ts'
export type { Message, MessageHandler } from './deliveries.ts'
export { memoryIdentity, type Identity, type IdentityStore } from './identity.ts'
export type { Keeper } from './keeper.ts'
export type { Ending, Sent } from './sends.ts'
export type { RoomMessage } from './feed.ts'
export type { Room, RoomEvents, RoomGap, RoomHandler } from './room.ts'
export type { HistoryReply, JoinReply, Member, MemberPage, RoomInfo, RoomList } from './room-replies.ts'
export type { Rooms, RoomOptions } from './rooms.ts'
export type { OpenSocket, Socket, SocketEvents } from './sockets.ts'

declare const WebSocket: WebSocketClass | undefined

/**
 * Returns at once; the client connects by itself and comes back for ever. The identity is kept in localStorage, apart for each
 * server. Throws an AckdError when the address cannot be one.
 */
export function connect<Payload = unknown>(url: string, options: Partial<ClientOptions> = {}): Client<Payload> {
  checkUrl(url, options.openSocket ? null : ['ws:', 'wss:'])
  const office = {
    ...options,
    openSocket: options.openSocket ?? browserSockets(),
    identity: options.identity ?? browserIdentity(url),
  }
  return new Client<Payload>(events => new Office(url, office, events), options)
}

function browserSockets(): OpenSocket {
  if (typeof WebSocket === 'undefined') throw new AckdError('bad_url', 'there is no WebSocket here; bring openSocket')
  return webSockets(WebSocket)
}

function checkUrl(url: string, protocols: readonly string[] | null): void {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed && (protocols === null || protocols.includes(parsed.protocol))) return
  throw new AckdError('bad_url', url.slice(0, 200))
}
