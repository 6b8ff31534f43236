/** Leads through pages of which each names the next. */
import type { JSX } from 'preact'

export interface PagerProps<Place> {
  /** What each page up to the one that is shown comes after; the first comes after nothing. */
  readonly afters: readonly Place[]
  readonly next: Place | null
  readonly turn: (afters: readonly Place[]) => void
}

export function Pager<Place>({ afters, next, turn }: PagerProps<Place>): JSX.Element | null {
  const isFirst = afters.length === 1
  if (isFirst && next === null) return null
  return (
    <div class="bar">
      <button type="button" class="small" disabled={isFirst} onClick={() => turn(afters.slice(0, -1))}>
        Page before
      </button>
      <button
        type="button"
        class="small"
        disabled={next === null}
        onClick={() => next !== null && turn([...afters, next])}
      >
        Next page
      </button>
    </div>
  )
}
