/** The first letter of a name, in a circle. */
import type { JSX } from 'preact'

export function Avatar({ name }: { readonly name: string }): JSX.Element {
  const [first = '?'] = segments(name)
  return (
    <span class="avatar" aria-hidden="true">
      {first.toLocaleUpperCase()}
    </span>
  )
}

/** What a reader takes for letters: an emoji of several parts is one. */
function segments(text: string): readonly string[] {
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)
}
