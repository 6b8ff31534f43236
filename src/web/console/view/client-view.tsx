/** A client: where it is connected, what waits for it, and what an operator can do about it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Api, Client } from '../api.ts'
import { agoWords, bytesWords, spanWords, timeWords } from '../quantities.ts'
import { useAsked } from './asked.ts'
import { Confirm, type ConfirmProps } from './confirm.tsx'
import { Facts, Trouble } from './facts.tsx'
import { Mailbox } from './mailbox.tsx'

type Ask = 'kick' | 'discard' | null

export function ClientView({ api, id }: { readonly api: Api; readonly id: string }): JSX.Element {
  const [asks, setAsks] = useState<Ask>(null)
  const [said, setSaid] = useState('')
  const { answer: client, trouble, again } = useAsked(id, () => api.client(id))
  const path = `/api/clients/${encodeURIComponent(id)}`
  const kick = async (): Promise<void> => {
    const { kicked } = await api.ask<{ kicked: boolean }>(`${path}/kick`, 'POST')
    setSaid(kicked ? 'Its connection was closed.' : 'It was not connected.')
    again()
  }
  const discard = async (): Promise<void> => {
    const { discarded } = await api.ask<{ discarded: number }>(`${path}/mailbox`, 'DELETE')
    setSaid(`${discarded.toLocaleString()} ${discarded === 1 ? 'message was' : 'messages were'} discarded.`)
    again()
  }
  return (
    <>
      <p>
        <a class="back-link" href="#clients">
          ← Clients
        </a>
      </p>
      <h1 class="long">{id}</h1>
      {trouble !== '' && <Trouble text={trouble} />}
      {client !== null && <ClientFacts client={client} />}
      <div class="bar">
        <button
          type="button"
          class="small"
          disabled={client === null || client.node === null}
          onClick={() => setAsks('kick')}
        >
          Close its connection
        </button>
        <button
          type="button"
          class="small"
          disabled={client === null || client.parked === 0}
          onClick={() => setAsks('discard')}
        >
          Discard its mailbox
        </button>
        <button type="button" class="quiet small" onClick={again}>
          Refresh
        </button>
      </div>
      <p class="hint" role="status">
        {said}
      </p>
      {client !== null && <Mailbox key={`${client.parked} ${client.oldest}`} api={api} client={client} />}
      {asks !== null && client !== null && (
        <Confirm {...question(asks, client)} act={asks === 'kick' ? kick : discard} close={() => setAsks(null)} />
      )}
    </>
  )
}

function question(asks: 'kick' | 'discard', { parked }: Client): Pick<ConfirmProps, 'title' | 'text' | 'action'> {
  if (asks === 'kick')
    return {
      title: 'Close its connection?',
      text: 'What it has not acknowledged is parked, in order, and waits for its next connection. Its program is told, and does not come back by itself.',
      action: 'Close it',
    }
  return {
    title: 'Discard its mailbox?',
    text: `What is parked for it, ${parked.toLocaleString()} when this was read, is lost for good. Its senders are told that it expired.`,
    action: 'Discard it for good',
  }
}

function ClientFacts({ client }: { readonly client: Client }): JSX.Element {
  const { node, parked, bytes, oldest, expires, deadLetters, connection } = client
  const here =
    connection === null || connection === undefined
      ? []
      : ([
          ['Transport', `${connection.transport} from ${connection.address}`],
          ['Here for', spanWords(connection.sinceMs)],
          ['Outbox', <code key="outbox">{connection.outbox}</code>],
          ['Waiting for its ack', connection.windowMessages.toLocaleString()],
        ] as const)
  return (
    <Facts
      facts={[
        ['Connected to', node === null ? 'no node' : <code key="node">{node}</code>],
        ...here,
        ['Parked', parked === 0 ? 'nothing' : `${parked.toLocaleString()}, ${bytesWords(bytes)}`],
        ['The oldest', agoWords(oldest, Date.now())],
        ['Dead letters', deadLetters.toLocaleString()],
        ['Its id lapses', node === null ? timeWords(expires) : 'not while it is connected'],
      ]}
    />
  )
}
