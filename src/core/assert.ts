/** A broken invariant: a fault of this program, never of a peer. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InvariantError'
  }
}

/** States an invariant of `docs/architecture.md` (I1–I12). Cheap enough to stay in production. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(invariant)
}
