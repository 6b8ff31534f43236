/**
 * The life of a page: when it sleeps and must let everything go, and when there is a sign that the world has changed.
 *
 * A page sleeps in the back-forward cache and when the browser freezes it. One that holds a connection, a lock or a channel is not
 * cached, and one that is frozen with a lock in its hands would stop all the others.
 */
interface EventTargetLike {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

export interface PageEvents {
  /** Nothing that is begun later can be relied on to happen. */
  readonly sleep: () => void
  readonly wake: () => void
  /** The network, the machine or somebody's attention is back, or the network is gone. */
  readonly sign: () => void
}

export interface PageLike extends EventTargetLike {
  readonly document?: EventTargetLike & { readonly visibilityState: string }
}

/** Tells what happens to the page until the returned function is called. Without a page nothing happens. */
export function watchPage(page: PageLike | null, { sleep, wake, sign }: PageEvents): () => void {
  if (page === null) return () => {}
  const { document } = page
  const seen = (): void => {
    if (document?.visibilityState === 'visible') sign()
  }
  const listeners: readonly (readonly [EventTargetLike | undefined, string, () => void])[] = [
    [page, 'pagehide', sleep],
    [page, 'pageshow', wake],
    [document, 'freeze', sleep],
    [document, 'resume', wake],
    [page, 'online', sign],
    [page, 'offline', sign],
    [document, 'visibilitychange', seen],
  ]
  for (const [target, type, listener] of listeners) target?.addEventListener(type, listener)
  return () => {
    for (const [target, type, listener] of listeners) target?.removeEventListener(type, listener)
  }
}

/** The page that this program runs in; null in a worker without one, and outside of browsers. */
export function thisPage(): PageLike | null {
  const found: unknown = globalThis
  return isPage(found) ? found : null
}

function isPage(value: unknown): value is PageLike {
  return typeof value === 'object' && value !== null && 'addEventListener' in value && 'document' in value
}
