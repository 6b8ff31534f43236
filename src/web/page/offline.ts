/**
 * Lets the page be loaded without a network, where the browser has service workers: over https, and on this very machine.
 *
 * A worker is looked for again whenever there is a connection again, since the server may be a newer one then.
 */
const WORKER = '/worker.js'

/** The one script that the page loads by itself: nothing that anybody writes can become one (`require-trusted-types-for`). */
interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

declare const trustedTypes: Policies | undefined

export class Offline {
  #registration: ServiceWorkerRegistration | null = null

  /** `renewed`: a newer page was taken in, and comes with the next load. */
  constructor(renewed: () => void) {
    void this.#begin(renewed)
  }

  /** Looks whether there is a newer page. */
  look(): void {
    this.#registration?.update().catch(() => {
      // There will be other occasions.
    })
  }

  async #begin(renewed: () => void): Promise<void> {
    if (!('serviceWorker' in navigator)) return
    const workers = navigator.serviceWorker
    const wasThere = workers.controller !== null
    workers.addEventListener('controllerchange', () => {
      if (wasThere) renewed()
    })
    try {
      this.#registration = await workers.register(scriptUrl())
    } catch {
      // Without it the page needs the network to be loaded, and that is all.
    }
  }
}

function scriptUrl(): string {
  if (typeof trustedTypes === 'undefined') return WORKER
  return trustedTypes.createPolicy('ackd', { createScriptURL: () => WORKER }).createScriptURL(WORKER)
}
