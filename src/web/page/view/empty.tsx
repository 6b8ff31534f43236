/** What stands where a conversation would be while none is open. */
import type { JSX } from 'preact'
import type { State } from '../state.ts'
import type { DialogName } from './sidebar.tsx'

export function Empty({
  state,
  show,
}: {
  readonly state: State
  readonly show: (dialog: DialogName) => void
}): JSX.Element {
  return (
    <main class="empty">
      <h1>Hello, {state.name}</h1>
      <p>Open a conversation, enter a room, or write to somebody whose address you have.</p>
      <div class="choices">
        <button type="button" onClick={() => show('room')}>
          Join or create a room
        </button>
        <button type="button" onClick={() => show('write')}>
          Write to somebody
        </button>
      </div>
    </main>
  )
}
