/** What a check of the doctor says: how it is, in a sentence, and what to do where something is not as it should be. */

export interface Finding {
  /** `bad`: the server would not start, or not keep its promise. */
  readonly level: 'good' | 'warning' | 'bad'
  readonly what: string
  /** Null when there is nothing to do. */
  readonly fix: string | null
}

export const good = (what: string): Finding => ({ level: 'good', what, fix: null })
export const warning = (what: string, fix: string): Finding => ({ level: 'warning', what, fix })
export const bad = (what: string, fix: string): Finding => ({ level: 'bad', what, fix })
