/**
 * What is to be done once, as a store remembers it: so that whoever asks again, of whichever node, is told what was decided the first
 * time. Every implementation passes `test/store/contract-once.ts`.
 *
 * Order, atomicity and failure are those of `store.ts`, with the target in the place of the id.
 */
export interface OnceStore {
  /**
   * Decides on `value` under that name of that target, unless something was decided there within the last `lifeMs`: answers what holds.
   * Answers only when a loss of power can no longer undo it.
   */
  decide(target: string, name: string, value: string, lifeMs: number): Promise<string>
}
