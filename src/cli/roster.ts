/** Who is in a room, by the names they go by: what is shown for an id, and which id is meant by a name. */

/** Characters of an id that tell two of the same name apart. */
const TAIL = 4

export class Roster {
  readonly #names = new Map<string, string>()

  add(id: string, name: string): void {
    this.#names.set(id, name)
  }

  delete(id: string): void {
    this.#names.delete(id)
  }

  /** The name, or with the end of the id where others have the same one; the id where there is none. */
  labelOf(id: string): string {
    const name = this.#names.get(id) ?? ''
    if (name === '') return id
    const shared = [...this.#names].some(([other, its]) => its === name && other !== id)
    return shared ? `${name}~${id.slice(-TAIL)}` : name
  }

  /** Null: nobody here goes by that. */
  find(label: string): string | null {
    for (const id of this.#names.keys()) if (id === label || this.labelOf(id) === label) return id
    return null
  }

  /** The labels of all but this one, by name. */
  others(own: string | null): string[] {
    return [...this.#names.keys()]
      .filter(id => id !== own)
      .map(id => this.labelOf(id))
      .sort()
  }
}
