/** The nodes that share a store, each with its figures, one under the other so that they can be compared. */
import type { JSX } from 'preact'
import { troubleAt, type NodeSeen } from '../nodes.ts'
import { bytesWords, rateWords, spanWords } from '../quantities.ts'

const columns = ['Connections', 'In, per s', 'Out, per s', 'To be acked', 'Lag', 'Memory', 'Up for'] as const

export function NodesTable({
  nodes,
  unheard,
  isOld,
}: {
  readonly nodes: readonly NodeSeen[]
  readonly unheard: number | null
  readonly isOld: boolean
}): JSX.Element | null {
  if (nodes.length < 2 && unheard === 0) return null
  return (
    <section class={isOld ? 'is-old' : ''}>
      <h2 id="nodes">Nodes on this store</h2>
      {/* Narrow windows show a part of it, which is moved by hand or by arrow keys. */}
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="nodes">
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              {columns.map(name => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {nodes.map(node => (
              <NodeRow key={node.node} node={node} />
            ))}
          </tbody>
        </table>
      </div>
      {unheard !== 0 && <p class="hint">{unheardWords(unheard)}</p>}
    </section>
  )
}

function NodeRow({ node }: { readonly node: NodeSeen }): JSX.Element {
  const trouble = troubleAt(node)
  const connections = Object.values(node.connections).reduce((sum, count) => sum + count, 0)
  return (
    <tr>
      <th scope="row">
        <span class="name">{node.node}</span>
        <span class="detail">
          {trouble !== '' && <strong class="trouble">{trouble} · </strong>}
          {node.here ? 'this node · ' : ''}
          {node.host} · {node.version}
        </span>
      </th>
      <td>{connections.toLocaleString()}</td>
      <td>{rateWords(node.taken)}</td>
      <td>{rateWords(node.sent)}</td>
      <td>{node.windowMessages.toLocaleString()}</td>
      <td>{Math.round(node.lagMs)} ms</td>
      <td>{bytesWords(node.memoryBytes)}</td>
      <td>{spanWords(node.uptime * 1_000)}</td>
    </tr>
  )
}

function unheardWords(unheard: number | null): string {
  if (unheard === null) return 'The store is away, so that nothing is known of other nodes.'
  return `${unheard.toLocaleString()} ${unheard === 1 ? 'node lives' : 'nodes live'} besides, of which there are no figures: just started, of another version, or beyond the hundred that are listed.`
}
