/**
 * The client library for browsers. `index.node.ts` is the same for Node, with a place on disk.
 *
 *   const client = connect<Chat>('wss://chat.example/ws')
 *   client.on('message', async message => show(message.from, message.body))
 *   const sent = await client.send(friend, { text: 'hello' })
 */
import { thisBrowser } from './browser/browser.ts'
import { Client, type ClientOptions } from './client.ts'
import { AckdError } from './errors.ts'
import { browserIdentity, keptName } from './identity.ts'
import { Office } from './browser/office.ts'
import { thisPage } from './browser/page.ts'
import { webSockets, type OpenSocket, type WebSocketClass } from './sockets.ts'
import { Tabs } from './browser/tabs.ts'

export { AckdError, type AckdErrorCode } from './errors.ts'
export type { Client, ClientEvents, Receipt, SendOptions, Signal } from './client.ts'
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

export interface BrowserOptions extends Partial<ClientOptions> {
  /** Whose identity and messages these are, when there are several at one server: for each its own. */
  readonly profile?: string
  /**
   * All tabs share one connection and keep the messages in IndexedDB: true unless said otherwise, or unless `token` comes without a
   * `profile`, since then nobody knows whose messages those in the database are.
   */
  readonly shared?: boolean
}

declare const WebSocket: WebSocketClass | undefined
declare const location: { readonly href: string } | undefined

/**
 * Returns at once; the client connects by itself and comes back for ever. A path is taken at the server of the page: `connect('/ws')`.
 * The identity is kept in localStorage, apart for each server and profile. Throws an AckdError when the address cannot be one.
 */
export function connect<Payload = unknown>(address: string, options: BrowserOptions = {}): Client<Payload> {
  const url = resolve(address, options.openSocket ? null : ['ws:', 'wss:'])
  const { profile = '', keeper, shared = options.token === undefined || profile !== '' } = options
  const openSocket = options.openSocket ?? browserSockets()
  const identity = options.identity ?? browserIdentity(url, profile)
  const office = { ...options, openSocket, identity }
  const browser = shared && !options.identity && !keeper ? thisBrowser() : null
  return new Client<Payload>(
    events =>
      browser
        ? new Tabs({ name: keptName(url, profile), url, office, identity, browser }, events)
        : new Office(url, { ...office, page: thisPage() }, events),
    options,
  )
}

function browserSockets(): OpenSocket {
  if (typeof WebSocket === 'undefined') throw new AckdError('bad_url', 'there is no WebSocket here; bring openSocket')
  return webSockets(WebSocket)
}

function resolve(address: string, protocols: readonly string[] | null): string {
  const here = typeof location === 'undefined' ? undefined : location.href.replace(/^http/, 'ws')
  const url = URL.canParse(address, here) ? new URL(address, here) : null
  if (url && (protocols === null || protocols.includes(url.protocol))) return url.href
  throw new AckdError('bad_url', address.slice(0, 200))
}
