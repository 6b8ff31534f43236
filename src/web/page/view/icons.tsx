/** The few pictures of the page, as paths that take the colour of the text around them. None of them says anything by itself. */
import type { JSX } from 'preact'

const paths = {
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  down: 'M6 10l6 6 6-6',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.500M18 14a6.500 6.500 0 0 1 3.500 6',
  plus: 'M12 5v14M5 12h14',
  send: 'M5 12h13M12 5l7 7-7 7',
  clock: 'M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM12 8v4.500l3 2',
  sent: 'M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10z',
  stored: 'M5 12.500l4.500 4.500L19 7',
  delivered: 'M2 12.500l4.500 4.500L16 7M11.500 16l1 1L22 7',
  failed: 'M12 6v7M12 17v.5',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
