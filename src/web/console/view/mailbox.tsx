/** What is parked for a client: by sender, and message by message; a body is fetched and shown only when somebody asks for it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { troubleOf, type Api, type Client, type Parked } from '../api.ts'
import { bestForm, shownAs, type Form } from '../body-text.ts'
import { agoWords, bytesWords, timeWords } from '../quantities.ts'
import { clientHash, findHash } from '../route.ts'
import { sendersOf } from '../senders.ts'
import { useAsked } from './asked.ts'
import { Trouble } from './facts.tsx'
import { Pager } from './pager.tsx'

const PAGE = 100
const forms: readonly Form[] = ['text', 'JSON', 'hex']

export function Mailbox({ api, client }: { readonly api: Api; readonly client: Client }): JSX.Element {
  const { id } = client
  const [afters, setAfters] = useState<readonly number[]>([0])
  const after = afters.at(-1) ?? 0
  const { answer, trouble } = useAsked(`${id} ${after}`, () => api.mailbox(id, after, PAGE))
  const messages = answer?.messages ?? []
  return (
    <section aria-label="Mailbox">
      <h2>Mailbox</h2>
      {trouble !== '' && <Trouble text={trouble} />}
      {answer !== null && messages.length === 0 && <p class="hint">Nothing is parked for this client.</p>}
      {messages.length > 0 && (
        <p class="hint">
          {answer?.next === null && after === 0 ? 'By sender: ' : `By sender, of the ${messages.length} on this page: `}
          {sendersOf(messages).map(({ from, count, bytes }, i) => (
            <span key={from}>
              {i > 0 && '; '}
              <a class="plain" href={clientHash(from)}>
                {from}
              </a>{' '}
              {count.toLocaleString()}, {bytesWords(bytes)}
            </span>
          ))}
        </p>
      )}
      <ul class="rows">
        {messages.map(entry => (
          <Entry key={entry.place} api={api} to={id} entry={entry} />
        ))}
      </ul>
      <Pager afters={afters} next={answer?.next ?? null} turn={setAfters} />
    </section>
  )
}

function Entry({ api, to, entry }: { readonly api: Api; readonly to: string; readonly entry: Parked }): JSX.Element {
  const { place, from, outbox, n, time, bytes, reason, repeated } = entry
  const [body, setBody] = useState<{ readonly value: unknown } | null>(null)
  const [trouble, setTrouble] = useState('')
  const show = async (): Promise<void> => {
    if (body !== null) {
      setBody(null)
      return
    }
    try {
      const { body: value } = await api.ask<{ body: unknown }>(
        `/api/clients/${encodeURIComponent(to)}/mailbox/${place}`,
      )
      setBody({ value })
      setTrouble('')
    } catch (error) {
      setTrouble(troubleOf(error))
    }
  }
  return (
    <li class="message">
      <div class="entry">
        <span class="name">
          {from} <span class="number">n {n}</span>
        </span>
        <span class="detail" title={`${timeWords(time)}, place ${place}`}>
          {bytesWords(bytes)} · {agoWords(time, Date.now())}
          {reason !== null && ` · void: ${reason}`}
          {repeated && ' · may have been sent before'}
        </span>
        <span class="acts">
          <a class="act" href={findHash({ from, to, outbox, n })} aria-label={`Where is message ${n} of ${from}?`}>
            Where?
          </a>
          <button
            type="button"
            class="small"
            aria-expanded={body !== null}
            disabled={reason !== null}
            onClick={() => void show()}
          >
            Body
            <span class="unseen">
              {' '}
              of message {n} of {from}
            </span>
          </button>
        </span>
      </div>
      {trouble !== '' && <Trouble text={trouble} />}
      {body !== null && <Body value={body.value} />}
    </li>
  )
}

function Body({ value }: { readonly value: unknown }): JSX.Element {
  const [form, setForm] = useState<Form>(bestForm(value))
  return (
    <div class="body">
      <div class="bar" role="group" aria-label="Shown as">
        {forms.map(one => (
          <button key={one} type="button" class="small" aria-pressed={form === one} onClick={() => setForm(one)}>
            {one}
          </button>
        ))}
      </div>
      <pre class={form} tabIndex={0} role="region" aria-label="Body">
        {shownAs(value, form)}
      </pre>
    </div>
  )
}
