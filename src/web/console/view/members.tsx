/** Who is in a room, page by page: at all nodes, with the one that each is connected to. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Api, Member, Node } from '../api.ts'
import { whereWords } from '../nodes.ts'
import { clientHash } from '../route.ts'
import { useAsked } from './asked.ts'
import { Trouble } from './facts.tsx'
import { Pager } from './pager.tsx'

const PAGE = 50

export interface MembersProps {
  readonly api: Api
  /** Where the room is. */
  readonly path: string
  readonly nodes: readonly Node[]
}

export function Members({ api, path, nodes }: MembersProps): JSX.Element {
  const [afters, setAfters] = useState<readonly string[]>([''])
  const after = afters.at(-1) ?? ''
  const query = `limit=${PAGE}${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
  const { answer, trouble } = useAsked(query, () =>
    api.ask<{ members: readonly Member[]; next: string | null }>(`${path}/members?${query}`),
  )
  return (
    <section aria-label="Members">
      <h2>Members</h2>
      {trouble !== '' && <Trouble text={trouble} />}
      {answer?.members.length === 0 && <p class="hint">Nobody is in this room now.</p>}
      <ul class="rows">
        {answer?.members.map(({ id, name, node }) => (
          <li key={id}>
            <a class="entry" href={clientHash(id)}>
              <span class={node === null ? 'dot' : 'dot on'} />
              <span class="name">{id}</span>
              <span class="detail">
                {name !== '' && `${name} · `}
                {node === null ? 'away' : whereWords(node, nodes)}
              </span>
            </a>
          </li>
        ))}
      </ul>
      <Pager afters={afters} next={answer?.next ?? null} turn={setAfters} />
    </section>
  )
}
