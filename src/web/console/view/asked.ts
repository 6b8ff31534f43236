/** What a view has asked the API for: the answer, or why there is none. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { troubleOf } from '../api.ts'

export interface Asked<Answer> {
  /** The last one; null before the first. */
  readonly answer: Answer | null
  readonly trouble: string
  readonly again: () => void
}

/** Asks at first, when `key` is another one, and at `again`. An answer that comes after a later question is thrown away. */
export function useAsked<Answer>(key: string, ask: () => Promise<Answer>): Asked<Answer> {
  const [state, setState] = useState<{ key: string; answer: Answer | null; trouble: string }>({
    key,
    answer: null,
    trouble: '',
  })
  const turn = useRef(0)
  const run = (): void => {
    const mine = ++turn.current
    ask().then(
      answer => mine === turn.current && setState({ key, answer, trouble: '' }),
      (error: unknown) => mine === turn.current && setState({ key, answer: null, trouble: troubleOf(error) }),
    )
  }
  useEffect(() => {
    run()
    return () => {
      turn.current++
    }
  }, [key])
  const isCurrent = state.key === key
  return { answer: isCurrent ? state.answer : null, trouble: isCurrent ? state.trouble : '', again: run }
}
