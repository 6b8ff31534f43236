/** Leads through pages of which each names the next. */
import type { JSX } from 'preact'

export interface PagerProps<Place> {
  /** What each page up to the one that is shown comes after; the first comes after nothing. */
  readonly afters: readonly Place[]
  readonly next: Place | null
  readonly turn: (afters: readonly Place[]) => void
}

/** At the first and the last page a button stays where it is, and keeps the focus, and does nothing. */
export function Pager<Place>({ afters, next, turn }: PagerProps<Place>): JSX.Element | null {
  const isFirst = afters.length === 1
  if (isFirst && next === null) return null
  return (
    <nav class="bar" aria-label="Pages">
      <button type="button" class="small" aria-disabled={isFirst} onClick={() => !isFirst && turn(afters.slice(0, -1))}>
        Page before
      </button>
      <button
        type="button"
        class="small"
        aria-disabled={next === null}
        onClick={() => next !== null && turn([...afters, next])}
      >
        Next page
      </button>
      <span class="hint">Page {afters.length.toLocaleString()}</span>
    </nav>
  )
}
