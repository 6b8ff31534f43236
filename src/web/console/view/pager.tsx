/** Leads through pages of which each names the next. */
import type { JSX } from 'preact'

export interface PagerProps<Place> {
  readonly hasBefore: boolean
  readonly next: Place | null
  readonly back: () => void
  readonly on: (next: Place) => void
}

export function Pager<Place>({ hasBefore, next, back, on }: PagerProps<Place>): JSX.Element | null {
  if (!hasBefore && next === null) return null
  return (
    <div class="bar">
      <button type="button" class="small" disabled={!hasBefore} onClick={back}>
        Page before
      </button>
      <button type="button" class="small" disabled={next === null} onClick={() => next !== null && on(next)}>
        Next page
      </button>
    </div>
  )
}
