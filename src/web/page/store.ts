/** A value that changes, for those who show it: they are told once per picture that the browser draws, however often it has changed. */
import { useEffect, useState } from 'preact/hooks'

/** ms between the pictures of a page that nobody sees. */
const HIDDEN_MS = 250

export class Store<Value> {
  readonly #listeners = new Set<() => void>()
  #value: Value
  #isDue = false

  constructor(value: Value) {
    this.#value = value
  }

  get value(): Value {
    return this.#value
  }

  set(value: Value): void {
    if (value === this.#value) return
    this.#value = value
    if (this.#isDue) return
    this.#isDue = true
    // A hidden page draws no pictures.
    if (document.visibilityState === 'visible') requestAnimationFrame(() => this.#tell())
    else setTimeout(() => this.#tell(), HIDDEN_MS)
  }

  change(next: (value: Value) => Value): void {
    this.set(next(this.#value))
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tell(): void {
    this.#isDue = false
    for (const listener of this.#listeners) listener()
  }
}

/** The value, in a component that is rendered anew when it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, render] = useState({})
  useEffect(() => store.subscribe(() => render({})), [store])
  return store.value
}
