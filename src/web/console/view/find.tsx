/** "Where is my message?": asks for its sender, recipient and number, and says where it is, and what happened to it on the way. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Field, given } from '../../page/view/field.tsx'
import type { Api, TracedMessage } from '../api.ts'
import { agoWords, bytesWords, timeWords } from '../quantities.ts'
import { clientHash, findHash, roomHash } from '../route.ts'
import { find, verdictOf, type Question, type Whereabouts } from '../whereabouts.ts'
import { useAsked } from './asked.ts'
import { Facts, Trouble } from './facts.tsx'

export function Find({ api, question }: { readonly api: Api; readonly question: Question }): JSX.Element {
  const { from, to, outbox, n } = question
  const [missing, setMissing] = useState('')
  return (
    <>
      <h1>Where is my message?</h1>
      <form
        class="question"
        noValidate
        onSubmit={event => {
          event.preventDefault()
          const number = given(event, 'n').trim()
          const asked = {
            from: given(event, 'from').trim(),
            to: given(event, 'to').trim(),
            outbox: given(event, 'outbox').trim(),
            n: /^[1-9]\d{0,14}$/.test(number) ? Number(number) : 0,
          }
          if (asked.from === '' || asked.to === '') return setMissing('Give both its sender and its recipient.')
          if (number !== '' && asked.n === 0) return setMissing('The number is an integer from 1.')
          setMissing('')
          location.hash = findHash(asked)
        }}
      >
        <Field label="From" name="from" defaultValue={from} autoComplete="off" spellcheck={false} required />
        <Field
          label="To, a client or a #room"
          name="to"
          defaultValue={to}
          autoComplete="off"
          spellcheck={false}
          required
        />
        <Field
          label="Number, if you know it"
          name="n"
          inputMode="numeric"
          defaultValue={n > 0 ? String(n) : ''}
          autoComplete="off"
        />
        <Field
          label="Outbox, if you know it"
          name="outbox"
          defaultValue={outbox}
          autoComplete="off"
          spellcheck={false}
        />
        <button class="primary">Find it</button>
      </form>
      {missing !== '' && <Trouble text={missing} />}
      {from !== '' && to !== '' && <Found api={api} question={question} />}
    </>
  )
}

function Found({ api, question }: { readonly api: Api; readonly question: Question }): JSX.Element {
  const { answer, trouble, again } = useAsked(findHash(question), () => find(api, question))
  return (
    <section aria-label="What is known" aria-live="polite" data-start>
      {trouble !== '' && <Trouble text={trouble} />}
      {answer === null && trouble === '' && <p class="hint">Asking…</p>}
      {answer !== null && (question.n === 0 ? <Others found={answer} /> : <Verdict found={answer} />)}
      <button type="button" class="small" onClick={again}>
        Ask again
      </button>
    </section>
  )
}

function Verdict({ found }: { readonly found: Whereabouts }): JSX.Element {
  const { question, message, parked } = found
  const { from, to, outbox, n } = question
  const { title, text, tone } = verdictOf(found)
  return (
    <>
      <div class={`verdict ${tone}`}>
        <h2>{title}</h2>
        <p>{text}</p>
      </div>
      <Facts
        facts={[
          [
            'From',
            <a key="from" class="plain" href={clientHash(from)}>
              {from}
            </a>,
          ],
          [
            'To',
            <a key="to" class="plain" href={to.startsWith('#') ? roomHash(to) : clientHash(to)}>
              {to}
            </a>,
          ],
          ['Number', n.toLocaleString()],
          ['Outbox', outbox === '' ? 'not known' : <code key="outbox">{outbox}</code>],
          ...(parked === null
            ? []
            : ([
                ['Accepted', `${timeWords(parked.entry.time)}, ${agoWords(parked.entry.time, Date.now())}`],
                ['Place in the mailbox', <code key="place">{parked.entry.place}</code>],
              ] as const)),
        ]}
      />
      {message !== null && message.steps.length > 0 && <Steps message={message} />}
    </>
  )
}

function Steps({ message }: { readonly message: TracedMessage }): JSX.Element {
  return (
    <>
      <h2>What happened to it here</h2>
      <ol class="steps">
        {message.steps.map(({ time, step, detail }, i) => (
          <li key={i}>
            <strong>{step}</strong> {detail}
            <span class="detail">{timeWords(time)}</span>
          </li>
        ))}
      </ol>
    </>
  )
}

function Others({ found }: { readonly found: Whereabouts }): JSX.Element {
  const { others, question, isCut } = found
  const { from, to } = question
  if (others.length === 0)
    return (
      <p>
        Nothing of {from} waits for {to}
        {isCut ? ' among the first 10,000 messages that are parked' : ''}. What was sent has been delivered, or is on
        its way: give its number to see which.
      </p>
    )
  return (
    <>
      <h2>
        {others.length.toLocaleString()} of {from} {others.length === 1 ? 'waits' : 'wait'} for {to}
      </h2>
      <ul class="rows">
        {others.map(({ place, outbox, n, time, bytes }) => (
          <li key={place}>
            <a class="entry" href={findHash({ from, to, outbox, n })}>
              <span class="name">n {n}</span>
              <span class="detail">
                {bytesWords(bytes)} · {agoWords(time, Date.now())}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  )
}
