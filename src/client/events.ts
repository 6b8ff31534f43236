/**
 * Who wants to hear of what. A listener that throws is the application's fault: it is thrown again outside, so that the
 * library's own state is never left half-way.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  /** Returns what takes the listener away again. Whoever owns the emitter gives this a type in which name and event belong together. */
  on(name: keyof Events, listener: (event: never) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    // Only listeners of that name and its events are under a name: the type of the owner's `on` sees to that.
    const listeners = this.#listeners.get(name) as Set<(event: Events[Name]) => void> | undefined
    for (const listener of listeners ?? []) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
