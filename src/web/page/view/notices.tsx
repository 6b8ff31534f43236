/** What went wrong without anybody waiting for it, until somebody has read it. */
import type { JSX } from 'preact'
import type { Chat } from '../chat.ts'
import type { State } from '../state.ts'
import { Icon } from './icons.tsx'

export function Notices({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element {
  return (
    <div class="notices" role="alert">
      {state.isOld && (
        <p class="notice">
          <span>This page has a newer version.</span>
          <button type="button" onClick={() => location.reload()}>
            Load it
          </button>
        </p>
      )}
      {state.notices.map(({ key, text }) => (
        <p class="notice" key={key}>
          <span>{text}</span>
          <button type="button" class="quiet round" aria-label="Dismiss" onClick={() => chat.dismiss(key)}>
            <Icon name="close" />
          </button>
        </p>
      ))}
    </div>
  )
}
