/**
 * What a client may do, when its token says less than everything.
 *
 * A pattern is a name, or the beginning of names followed by `*`: `alice`, `team-*`, `#news.*`, `*`.
 */

export interface Rights {
  /** May do in any room what its owner may. */
  readonly admin: boolean
  /** Patterns of the clients that it may send to; null: everybody. */
  readonly targets: readonly string[] | null
  /** Patterns of the rooms that it may enter; null: every room that is not kept from it. */
  readonly rooms: readonly string[] | null
}

/** Those of a client without a token. */
export const ordinary: Rights = { admin: false, targets: null, rooms: null }

/** Whether one of the patterns is of this name. */
export function covers(patterns: readonly string[], name: string): boolean {
  return patterns.some(pattern => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))
}
