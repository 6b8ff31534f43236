/** What a view has asked the API for: the answer, or why there is none. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { Refusal, troubleOf } from '../api.ts'

export interface Asked<Answer> {
  /** The last one, that of the key before until there is another; null before the first. */
  readonly answer: Answer | null
  readonly trouble: string
  readonly again: () => void
}

/** ms after which it is asked again by itself, when the server or its store was away. */
const RETRY_MS = 5_000

/** Asks at first, when `key` is another one, at `again`, and while nobody is there to answer. An answer that comes after a later question is thrown away. */
export function useAsked<Answer>(key: string, ask: () => Promise<Answer>): Asked<Answer> {
  const [state, setState] = useState<{ answer: Answer | null; trouble: string }>({ answer: null, trouble: '' })
  const turn = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const run = (): void => {
    const mine = ++turn.current
    clearTimeout(timer.current)
    ask().then(
      answer => mine === turn.current && setState({ answer, trouble: '' }),
      (error: unknown) => {
        if (mine !== turn.current) return
        setState({ answer: null, trouble: troubleOf(error) })
        if (error instanceof Refusal && [0, 503].includes(error.status)) timer.current = setTimeout(run, RETRY_MS)
      },
    )
  }
  useEffect(() => {
    run()
    return () => {
      turn.current++
      clearTimeout(timer.current)
    }
  }, [key])
  return { ...state, again: run }
}
