/** The nodes that share a store, as the one that is asked tells of them, and how fast messages come and go at each. */
import type { Node } from './api.ts'

export interface NodeSeen extends Node {
  /** Per second, between its last two readings; undefined before the second one. */
  readonly taken: number | undefined
  readonly sent: number | undefined
}

/** s after which a node that has said nothing is one to look after: it speaks every 5. */
const SILENT_S = 8

/** Rates are of the time of each node, which goes along with its figures. One that has not spoken since keeps its rates. */
export function seenNodes(nodes: readonly Node[], before: readonly NodeSeen[]): readonly NodeSeen[] {
  return nodes.map(node => {
    const last = before.find(one => one.node === node.node)
    const seconds = node.uptime - (last?.uptime ?? Infinity)
    if (last === undefined || !(seconds > 0)) return { ...node, taken: last?.taken, sent: last?.sent }
    return {
      ...node,
      taken: (node.acceptedTotal - last.acceptedTotal) / seconds,
      sent: (node.sentTotal - last.sentTotal) / seconds,
    }
  })
}

/** What is the matter with it; '' for nothing. */
export function troubleAt({ draining, storeUp, ageMs }: Node): string {
  if (draining) return 'shuts down'
  if (ageMs > SILENT_S * 1_000) return `silent for ${Math.round(ageMs / 1_000)} s`
  return storeUp ? '' : 'store away'
}

/** Where a client is. Where there is one node only, that need not be named. */
export function whereWords(name: string, nodes: readonly Node[]): string {
  return nodes.length < 2 ? 'connected' : `connected to ${name}${hostWords(name, nodes)}`
}

/** On which machine that node is, as far as there is something to choose; else ''. */
export function hostWords(name: string, nodes: readonly Node[]): string {
  const found = nodes.length < 2 ? undefined : nodes.find(({ node }) => node === name)
  return found === undefined ? '' : ` on ${found.host}${found.here ? ', this node' : ''}`
}
