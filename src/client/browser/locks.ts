/**
 * Web Locks, as far as they are used here: to lead, and to know when another tab is gone, however it went.
 *
 * Its owner gives a lock up when its page sleeps, and the browser takes it away when the page is gone. A page that only hangs keeps it, so it
 * can be stolen, and its owner is told once it hangs no more.
 */
export interface LocksLike {
  request(
    name: string,
    options: { readonly signal: AbortSignal } | { readonly steal: true } | { readonly ifAvailable: true },
    /** Null when it is not available. */
    hold: (lock: unknown) => Promise<void>,
  ): Promise<unknown>
}

export interface Hold {
  /** Resolves with true once the lock is held, and with false when that was given up or forbidden. */
  readonly held: Promise<boolean>
  /** Gives the lock up, or the waiting for it. */
  release(): void
}

export interface HoldOptions {
  /** Takes it from whoever holds it. */
  readonly steal?: true
  /** Does not wait for it: `held` resolves with false when another has it. */
  readonly ifFree?: true
  /** Another has stolen it. */
  readonly stolen?: () => void
}

/** Waits for a lock and holds it until it is released. */
export function hold(locks: LocksLike, name: string, { steal, ifFree, stolen }: HoldOptions = {}): Hold {
  const controller = new AbortController()
  const how = steal ? { steal } : ifFree ? { ifAvailable: ifFree } : { signal: controller.signal }
  let release = (): void => controller.abort()
  const held = new Promise<boolean>(resolve => {
    let isHeld = false
    const hold = (lock: unknown): Promise<void> => {
      isHeld = lock !== null
      resolve(isHeld)
      return isHeld ? new Promise(done => (release = done)) : Promise.resolve()
    }
    locks.request(name, how, hold).catch(() => {
      if (isHeld) stolen?.()
      else resolve(false)
    })
  })
  return { held, release: () => release() }
}
