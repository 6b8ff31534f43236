/** What one person said in one go: a name, bubbles, and under one's own what became of each. */
import type { JSX } from 'preact'
import { memo } from './memo.ts'
import type { Entry, Tick } from '../conversation.ts'
import type { Group } from '../timeline.ts'
import { clockWords, tickWords } from '../words.ts'
import { Avatar } from './avatar.tsx'
import { Icon, type IconName } from './icons.tsx'

export interface GroupProps {
  readonly group: Group
  /** What its sender is called. */
  readonly label: string
  readonly isConnected: boolean
  readonly isRoom: boolean
  readonly again: (entry: Entry) => void
  readonly remove: (entry: Entry) => void
}

function isSame(a: GroupProps, b: GroupProps): boolean {
  const isWaiting = a.group.own && a.isConnected !== b.isConnected
  return a.label === b.label && !isWaiting && sameEntries(a.group.entries, b.group.entries)
}

function sameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index])
}

export const GroupView = memo(({ group, label, isConnected, isRoom, again, remove }: GroupProps): JSX.Element => {
  const { own, entries } = group
  return (
    <section class={own ? 'group own' : 'group'} aria-label={own ? 'You' : label}>
      {!own && isRoom && <Avatar name={label} />}
      <div class="bubbles">
        {!own && isRoom && (
          <p class="group-name" aria-hidden="true">
            <bdi>{label}</bdi>
          </p>
        )}
        {entries.map(entry => (
          <Bubble key={entry.key} entry={entry} isConnected={isConnected} again={again} remove={remove} />
        ))}
      </div>
    </section>
  )
}, isSame)

type BubbleProps = Pick<GroupProps, 'isConnected' | 'again' | 'remove'> & { readonly entry: Entry }

function Bubble({ entry, isConnected, again, remove }: BubbleProps): JSX.Element {
  const { text, time, tick, trouble } = entry
  return (
    <article class={tick === 'failed' ? 'bubble failed' : 'bubble'}>
      <p class="text" dir="auto">
        {text}
      </p>
      <p class="meta">
        <time dateTime={new Date(time).toISOString()} title={new Date(time).toLocaleString()}>
          {clockWords(time)}
        </time>
        {tick !== null && <TickView tick={tick} isConnected={isConnected} />}
      </p>
      {tick === 'failed' && (
        <div class="failure">
          <p>{trouble}</p>
          <button type="button" class="small" onClick={() => again(entry)}>
            Send again
          </button>
          <button type="button" class="quiet small" onClick={() => remove(entry)}>
            Remove
          </button>
        </div>
      )}
    </article>
  )
}

function TickView({ tick, isConnected }: { readonly tick: Tick; readonly isConnected: boolean }): JSX.Element {
  const icon: IconName = tick !== 'waiting' ? tick : isConnected ? 'sent' : 'clock'
  const words = tickWords(tick, isConnected)
  return (
    <span class="tick" data-tick={icon} title={words}>
      <Icon name={icon} />
      <span class="unseen">, {words}</span>
    </span>
  )
}
