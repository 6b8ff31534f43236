/**
 * Web Locks, as far as they are used here: to lead, and to know when another tab is gone, however it went.
 *
 * A lock is never stolen. Its owner gives it up when its page sleeps, and the browser takes it away when the page is gone.
 */
export interface LocksLike {
  request(name: string, options: { readonly signal: AbortSignal }, hold: () => Promise<void>): Promise<unknown>
}

export interface Hold {
  /** Resolves with true once the lock is held, and with false when that was given up or forbidden. */
  readonly held: Promise<boolean>
  /** Gives the lock up, or the waiting for it. */
  release(): void
}

/** Waits for a lock and holds it until it is released. */
export function hold(locks: LocksLike, name: string): Hold {
  const controller = new AbortController()
  let release = (): void => controller.abort()
  const held = new Promise<boolean>(resolve => {
    const hold = (): Promise<void> => {
      resolve(true)
      return new Promise(done => (release = done))
    }
    locks.request(name, { signal: controller.signal }, hold).catch(() => resolve(false))
  })
  return { held, release: () => release() }
}
