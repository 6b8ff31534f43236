/** Whether the window is as the style sheet has it in a media query, for what is laid out otherwise then. */
import { useEffect, useState } from 'preact/hooks'

export function useIsWide(query: string): boolean {
  const [isWide, setIsWide] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const changed = (): void => setIsWide(list.matches)
    list.addEventListener('change', changed)
    return () => list.removeEventListener('change', changed)
  }, [query])
  return isWide
}
