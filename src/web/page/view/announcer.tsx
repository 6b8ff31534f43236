/**
 * Says what comes in, to those who listen to the page instead of looking at it.
 *
 * The log itself is silent: it changes also when older messages are loaded, and a room that catches up with a hundred messages should not be
 * read out. So only what is new is said, and of many that come at once, how many.
 */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Chat } from '../chat.ts'
import { isRoom } from '../route.ts'
import { labelOf } from '../state.ts'

/** ms in which messages count as come at once, and how many of them are said. */
const TOGETHER_MS = 400
const SAID = 3
/** Characters of a message that are said; the rest is there to be read. */
const SPOKEN = 300

export function Announcer({ chat }: { readonly chat: Chat }): JSX.Element {
  const [words, setWords] = useState('')
  useEffect(() => {
    let waiting: string[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const say = (): void => {
      setWords(waiting.length > SAID ? `${waiting.length} new messages` : waiting.join('. '))
      waiting = []
      timer = undefined
    }
    const end = chat.onHeard(({ from, name, text }, target) => {
      const where = target === chat.store.value.open || !isRoom(target) ? '' : ` in ${target}`
      waiting.push(`${labelOf(chat.store.value, from, name)}${where}: ${text.slice(0, SPOKEN)}`)
      timer ??= setTimeout(say, TOGETHER_MS)
    })
    return () => {
      end()
      clearTimeout(timer)
    }
  }, [chat])
  return (
    <div class="unseen" role="status" aria-label="New messages">
      {words}
    </div>
  )
}
