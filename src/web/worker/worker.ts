/**
 * The service worker of the page: lets it be loaded without a network.
 *
 * It keeps one whole page, that of the server's version that it came from, and nothing else. With a network the document always comes from the
 * server, so a newer page is seen at the next load; only what cannot be reached, or does not come in time, comes from here. What has the hash
 * of its content in its name is taken from here at once. A newer worker comes with a newer page, takes its files in, and only then throws away the old.
 */

/** As the build has filled them in: the files of the page, and a name that is another one when one of them is. */
declare const FILES: readonly string[]
declare const VERSION: string

/** What is used of a worker; the types of pages and of workers cannot be had together. */
interface Scope {
  readonly location: { readonly origin: string }
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: Lifecycle) => void): void
  addEventListener(type: 'fetch', listener: (event: Fetch) => void): void
}

interface Lifecycle {
  waitUntil(work: Promise<unknown>): void
}

interface Fetch {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}

const scope = self as unknown as Scope
const cacheName = `ackd page ${VERSION}`
/** ms that a server has for the document before it comes from here. */
const PATIENCE_MS = 4_000

scope.addEventListener('install', event => event.waitUntil(install()))
scope.addEventListener('activate', event => event.waitUntil(activate()))
scope.addEventListener('fetch', event => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== scope.location.origin) return
  if (url.pathname === '/' && request.mode === 'navigate') event.respondWith(newest(request))
  else if (url.pathname !== '/' && FILES.includes(url.pathname)) event.respondWith(kept(request))
})

async function install(): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll(FILES.map(file => new Request(file, { cache: 'no-cache' })))
  await scope.skipWaiting()
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter(key => key.startsWith('ackd page ') && key !== cacheName)
  await Promise.all(old.map(key => caches.delete(key)))
  await scope.clients.claim()
}

/** The document from the server; when that fails or takes too long, the one that is kept. */
async function newest(request: Request): Promise<Response> {
  const known = await (await caches.open(cacheName)).match('/')
  if (known === undefined) return fetch(request)
  const late = new Promise<Response>(resolve => setTimeout(() => resolve(known.clone()), PATIENCE_MS))
  const fresh = fetch(request).then(response => (response.ok ? response : known))
  return Promise.race([fresh.catch(() => known), late])
}

async function kept(request: Request): Promise<Response> {
  const known = await (await caches.open(cacheName)).match(new URL(request.url).pathname)
  return known ?? fetch(request)
}

// A module, so that its names are its own.
export {}
