/**
 * A dialog over the page: the browser keeps the focus in it, closes it at Escape, and gives the focus back to where it came from. However it
 * ends, it is the browser that closes it: to give the focus back by ourselves comes too late, when a fast keyboard has moved on, or too early,
 * when what is under the dialog cannot take it yet.
 */
import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
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
  // Before anything else can happen: a key that is pressed meanwhile would close nothing.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  const dismiss = (): void => dialog.current?.close()
  return (
    <dialog
      ref={dialog}
      class={atSide ? 'dialog side' : 'dialog'}
      aria-labelledby={id}
      onClose={event => {
        // It is told late, when it may be gone from the page and another one there.
        if (event.currentTarget.isConnected) close()
      }}
      onClick={event => {
        // Outside of what it shows.
        if (event.target === dialog.current) dismiss()
      }}
    >
      <div class="sheet">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet round" aria-label="Close" onClick={dismiss}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
