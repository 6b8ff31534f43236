/** The whole console of somebody who has the token: where one can go, the part that the address names, and how the server is. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useStore } from '../../page/store.ts'
import type { Api } from '../api.ts'
import { routeIn, type Route } from '../route.ts'
import type { Watch } from '../watch.ts'
import { ClientView } from './client-view.tsx'
import { Clients } from './clients.tsx'
import { Find } from './find.tsx'
import { Overview } from './overview.tsx'
import { RoomView, Rooms } from './rooms.tsx'
import { Away } from './away.tsx'

export interface AppProps {
  readonly api: Api
  readonly watch: Watch
  readonly leave: () => void
}

const parts = [
  ['#', 'Overview', ['overview']],
  ['#find', 'Where is my message?', ['find']],
  ['#clients', 'Clients', ['clients', 'client']],
  ['#rooms', 'Rooms', ['rooms', 'room']],
] as const

export function App({ api, watch, leave }: AppProps): JSX.Element {
  const watched = useStore(watch.store)
  const route = useRoute()
  return (
    <div class="console">
      <header class="top">
        <span class="brand">ackd</span>
        <nav aria-label="Console">
          {parts.map(([hash, name, places]) => (
            <a
              key={hash}
              href={hash}
              aria-current={(places as readonly string[]).includes(route.at) ? 'page' : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <button type="button" class="quiet small" onClick={leave}>
          Forget the token
        </button>
      </header>
      <Away watch={watch} watched={watched} />
      <main>
        {route.at === 'overview' && <Overview watched={watched} />}
        {route.at === 'find' && <Find key={location.hash} api={api} question={route.question} />}
        {route.at === 'clients' && <Clients api={api} nodes={watched.nodes} />}
        {route.at === 'client' && <ClientView key={route.id} api={api} id={route.id} nodes={watched.nodes} />}
        {route.at === 'rooms' && <Rooms api={api} />}
        {route.at === 'room' && <RoomView key={route.name} api={api} name={route.name} nodes={watched.nodes} />}
      </main>
    </div>
  )
}

/** What the address names. Who goes somewhere by it begins to read at the top, or where that part says, and goes on from there by keyboard. */
function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const follow = (): void => setHash(location.hash)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  useEffect(() => {
    scrollTo(0, 0)
    const start = document.querySelector<HTMLElement>('[data-start]') ?? document.querySelector('h1')
    start?.setAttribute('tabindex', '-1')
    start?.focus()
  }, [hash])
  const route = routeIn(hash)
  useEffect(() => {
    document.title = `${titleOf(route)} · ackd console`
  }, [hash])
  return route
}

function titleOf(route: Route): string {
  if (route.at === 'client') return route.id
  if (route.at === 'room') return route.name
  return parts.find(([, , places]) => (places as readonly string[]).includes(route.at))?.[1] ?? ''
}
