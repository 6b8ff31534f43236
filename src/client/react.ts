/**
 * Hooks for React, over `useSyncExternalStore`: what a client is and does, as values that components render.
 *
 *   const client = connect<Chat>('/ws')              // once, outside of components
 *
 *   const status = useStatus(client)
 *   const tea = useRoom<Chat>(client, '#tea')
 *   return <List messages={tea.messages} offline={status.state !== 'connected'} />
 *
 * The application makes the client, and it outlives the components: a connection that came and went with them would be a new one
 * whenever they change.
 */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { ClientEvents } from './client.ts'
import type { Status } from './connector.ts'
import type { MessageHandler } from './deliveries.ts'
import { viewOf, type RoomClient, type RoomSnapshot, type RoomViewOptions } from './rooms/view.ts'

export type { RoomSnapshot, RoomViewOptions } from './rooms/view.ts'

/** Of a client, what each hook needs; so clients of every payload will do. */
interface StatusClient {
  readonly id: string | null
  readonly status: Status
  on(name: 'status', listener: (status: Status) => void): () => void
}

interface EventClient {
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void
}

interface MessageClient<Payload> {
  on(name: 'message', handler: MessageHandler<Payload>): () => void
}

/** The state of the connection. */
export function useStatus(client: StatusClient): Status {
  return useSyncExternalStore(
    changed => client.on('status', changed),
    () => client.status,
    () => client.status,
  )
}

/** The own address; null until it is known. */
export function useId(client: StatusClient): string | null {
  return useSyncExternalStore(
    changed => client.on('status', changed),
    () => client.id,
    () => client.id,
  )
}

/** Hears an event for as long as the component is there. The listener may be another one each time. */
export function useEvent<Name extends keyof ClientEvents>(
  client: EventClient,
  name: Name,
  listener: (event: ClientEvents[Name]) => void,
): void {
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => client.on(name, event => latest.current(event)), [client, name])
}

/**
 * Deals with messages for as long as the component is there: see `client.on('message', …)`. One component at a time; without one
 * messages wait at the server.
 */
export function useMessages<Payload>(client: MessageClient<Payload>, handler: MessageHandler<Payload>): void {
  const latest = useRef(handler)
  useEffect(() => {
    latest.current = handler
  })
  useEffect(() => client.on('message', message => latest.current(message)), [client])
}

/** A room, entered with the first component that asks for it and left with the last. The options of the first one count. */
export function useRoom<Payload = unknown>(
  client: RoomClient,
  name: string,
  options: RoomViewOptions = {},
): RoomSnapshot<Payload> {
  const view = viewOf<Payload>(client, name, options)
  return useSyncExternalStore(view.subscribe, view.snapshot, view.snapshot)
}
