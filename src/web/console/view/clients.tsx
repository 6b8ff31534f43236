/** Who is here, and for whom something is parked, page by page; or somebody by id. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Field, given } from '../../page/view/field.tsx'
import type { Api, Client, Node } from '../api.ts'
import { whereWords } from '../nodes.ts'
import { agoWords, bytesWords } from '../quantities.ts'
import { clientHash } from '../route.ts'
import { useAsked } from './asked.ts'
import { Trouble } from './facts.tsx'
import { Pager } from './pager.tsx'

const filters = [
  ['', 'All'],
  ['online=true', 'Connected here'],
  ['parked=true', 'With parked messages'],
] as const
const PAGE = 50

export interface ClientsProps {
  readonly api: Api
  readonly nodes: readonly Node[]
}

export function Clients({ api, nodes }: ClientsProps): JSX.Element {
  const [filter, setFilter] = useState('')
  const [afters, setAfters] = useState<readonly string[]>([''])
  const after = afters.at(-1) ?? ''
  const query = `limit=${PAGE}${filter === '' ? '' : `&${filter}`}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
  const { answer, trouble, again } = useAsked(query, () =>
    api.ask<{ clients: readonly Client[]; next: string | null }>(`/api/clients?${query}`),
  )
  return (
    <>
      <h1>Clients</h1>
      <form
        class="lookup"
        onSubmit={event => {
          event.preventDefault()
          const id = given(event, 'id').trim()
          if (id !== '') location.hash = clientHash(id)
        }}
      >
        <Field label="Look up a client by its id" name="id" autoComplete="off" spellcheck={false} />
        <button>Look up</button>
      </form>
      <div class="bar" role="group" aria-label="Which clients">
        {filters.map(([value, name]) => (
          <button
            key={value}
            type="button"
            class="small"
            aria-pressed={filter === value}
            onClick={() => {
              setFilter(value)
              setAfters([''])
            }}
          >
            {name}
          </button>
        ))}
        <button type="button" class="quiet small" onClick={again}>
          Refresh
        </button>
      </div>
      {trouble !== '' && <Trouble text={trouble} />}
      {answer?.clients.length === 0 && <p class="hint">{nobodyWords(filter)}</p>}
      <ul class="rows">
        {answer?.clients.map(client => (
          <Row key={client.id} client={client} nodes={nodes} />
        ))}
      </ul>
      <Pager afters={afters} next={answer?.next ?? null} turn={setAfters} />
    </>
  )
}

function Row({ client, nodes }: { readonly client: Client; readonly nodes: readonly Node[] }): JSX.Element {
  const { id, node, parked, bytes, oldest } = client
  return (
    <li>
      <a class="entry" href={clientHash(id)}>
        <span class={node === null ? 'dot' : 'dot on'} />
        <span class="name">{id}</span>
        <span class="detail">
          {node === null ? 'away' : whereWords(node, nodes)}
          {parked > 0 &&
            ` · ${parked.toLocaleString()} parked, ${bytesWords(bytes)}, the oldest ${agoWords(oldest, Date.now())}`}
        </span>
      </a>
    </li>
  )
}

function nobodyWords(filter: string): string {
  if (filter === 'online=true') return 'Nobody is connected to this node.'
  if (filter === 'parked=true') return 'Every mailbox is empty.'
  return 'Nobody is connected to this node, and every mailbox is empty. Whoever is neither is found by id.'
}
