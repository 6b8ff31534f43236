/** A client: where it is connected, what waits for it, and what an operator can do about it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Api, Client, Node } from '../api.ts'
import { hostWords } from '../nodes.ts'
import { agoWords, bytesWords, spanWords, timeWords } from '../quantities.ts'
import { useAsked } from './asked.ts'
import { Confirm, type ConfirmProps } from './confirm.tsx'
import { Facts, Trouble } from './facts.tsx'
import { Mailbox } from './mailbox.tsx'

/** What is asked for, and how often something was: a dialog that was closed is told of it late, when the next may be open. */
interface Asks {
  readonly deed: 'kick' | 'discard'
  readonly turn: number
}

export interface ClientViewProps {
  readonly api: Api
  readonly id: string
  readonly nodes: readonly Node[]
}

export function ClientView({ api, id, nodes }: ClientViewProps): JSX.Element {
  const [asks, setAsks] = useState<Asks | null>(null)
  const begin = (deed: Asks['deed']): void => setAsks({ deed, turn: (asks?.turn ?? 0) + 1 })
  const [said, setSaid] = useState('')
  const { answer: client, trouble, again } = useAsked(id, () => api.client(id))
  const mayClose = client?.connection !== null && client?.connection !== undefined
  const mayDiscard = client !== null && client.parked > 0
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
      {client !== null && <ClientFacts client={client} nodes={nodes} />}
      <div class="bar">
        <button type="button" class="small" aria-disabled={!mayClose} onClick={() => mayClose && begin('kick')}>
          Close its connection
        </button>
        <button type="button" class="small" aria-disabled={!mayDiscard} onClick={() => mayDiscard && begin('discard')}>
          Discard its mailbox
        </button>
        <button type="button" class="quiet small" onClick={again}>
          Refresh
        </button>
      </div>
      <p class="hint" role="status">
        {said || elsewhereWords(client, nodes)}
      </p>
      {client !== null && <Mailbox key={`${client.parked} ${client.oldest}`} api={api} client={client} />}
      {asks !== null && client !== null && (
        <Confirm
          key={asks.turn}
          {...question(asks.deed, client)}
          act={asks.deed === 'kick' ? kick : discard}
          close={() => setAsks(null)}
        />
      )}
    </>
  )
}

function question(deed: Asks['deed'], { parked }: Client): Pick<ConfirmProps, 'title' | 'text' | 'action'> {
  if (deed === 'kick')
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

function elsewhereWords(client: Client | null, nodes: readonly Node[]): string {
  if (client?.node === null || client?.node === undefined || client.connection !== null) return ''
  return `It is connected to ${client.node}${hostWords(client.node, nodes)}: its connection is closed in the console of that node.`
}

function ClientFacts({ client, nodes }: { readonly client: Client; readonly nodes: readonly Node[] }): JSX.Element {
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
        [
          'Connected to',
          node === null ? (
            'no node'
          ) : (
            <span key="node">
              <code>{node}</code>
              {hostWords(node, nodes)}
            </span>
          ),
        ],
        ...here,
        ['Parked', parked === 0 ? 'nothing' : `${parked.toLocaleString()}, ${bytesWords(bytes)}`],
        ...(parked === 0 ? [] : ([['The oldest', agoWords(oldest, Date.now())]] as const)),
        ['Dead letters', deadLetters.toLocaleString()],
        ['Its id lapses', node === null ? timeWords(expires) : 'not while it is connected'],
      ]}
    />
  )
}
