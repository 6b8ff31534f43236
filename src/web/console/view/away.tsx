/** Says that the server does not answer, and when it is tried again; or that its store is away. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Watch, Watched } from '../watch.ts'

export function Away({ watch, watched }: { readonly watch: Watch; readonly watched: Watched }): JSX.Element {
  const { trouble, storeTrouble, retryAt } = watched
  const now = useNow(trouble !== '')
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1_000))
  return (
    <div class="away" role="status">
      {trouble !== '' && (
        <p>
          <strong>{trouble}</strong>{' '}
          <span aria-hidden="true">{seconds > 0 ? `Next attempt in ${seconds} s.` : 'Trying…'}</span>{' '}
          <button type="button" class="small" onClick={() => void watch.look()}>
            Try now
          </button>
        </p>
      )}
      {trouble === '' && storeTrouble !== '' && (
        <p>
          <strong>The store is away.</strong> {storeTrouble}
        </p>
      )}
    </div>
  )
}

/** ms since the epoch, second by second while it matters. */
function useNow(matters: boolean): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (!matters) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [matters])
  return matters ? Math.max(now, Date.now()) : now
}
