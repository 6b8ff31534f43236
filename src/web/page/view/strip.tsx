/**
 * The strip under everything: the state of the connection, when it is tried again, what was missed, and the button that cuts the network. It is
 * always there and always as high, so that nothing moves when the network goes.
 */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Chat } from '../chat.ts'
import type { State } from '../state.ts'
import { catchUpWords, countdownWords, meanwhileWords, statusWords } from '../words.ts'

export function Strip({ chat, state }: { readonly chat: Chat; readonly state: State }): JSX.Element {
  const { status, isCut, catchUp } = state
  const place = isCut ? 'cut' : status.state
  const isAway = status.state === 'closed' && !isCut
  return (
    <footer class="strip" data-state={place}>
      <span class="lamp" aria-hidden="true" />
      <div class="strip-words">
        <p role="status">
          {statusWords(status, isCut)} <span class="meanwhile">{meanwhileWords(status, isCut)}</span>
          {catchUp !== null && status.state === 'connected' && <span class="missed">{catchUpWords(catchUp)}</span>}
        </p>
        <Countdown state={state} />
      </div>
      {status.state === 'waiting' && !isCut && (
        <button type="button" class="small" onClick={() => chat.reconnect()}>
          Try now
        </button>
      )}
      {isAway && (
        <button type="button" class="small" onClick={() => chat.reconnect()}>
          {status.reason === 'replaced' ? 'Use it here' : 'Connect again'}
        </button>
      )}
      <button
        type="button"
        class={isCut ? 'small switch' : 'quiet small switch'}
        title="See for yourself what happens without a network"
        onClick={() => chat.cut(!isCut)}
      >
        {isCut ? 'Restore' : 'Cut'} <span class="on-wide">the network</span>
      </button>
    </footer>
  )
}

/** Changes every second, so it is to be seen only. */
function Countdown({ state: { status, isCut } }: { readonly state: State }): JSX.Element | null {
  const [now, setNow] = useState(Date.now())
  const isWaiting = status.state === 'waiting' && !isCut
  useEffect(() => {
    if (!isWaiting) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [isWaiting, status])
  const words = countdownWords(status, isCut, now)
  return words === null ? null : (
    <p class="countdown" aria-hidden="true">
      {words}
    </p>
  )
}
