/** A dialog over the page: the browser keeps the focus in it, closes it at Escape, and gives the focus back to where it came from. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Icon } from './icons.tsx'

export interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
  /** At the side of the page instead of over its middle. */
  readonly atSide?: boolean
}

export function Dialog({ title, close, children, atSide = false }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={atSide ? 'dialog side' : 'dialog'}
      aria-labelledby={id}
      onClose={close}
      onClick={event => {
        // Outside of what it shows.
        if (event.target === dialog.current) close()
      }}
    >
      <div class="sheet">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet round" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
