/** The operation that tells how the nodes of this server are. */
import { z } from 'zod'
import type { Store } from '../../store/store.ts'
import { NODES_TOLD } from '../../store/neighbours.ts'
import { asked } from './asking.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { figuresOf, nodeFigures, readFigures } from './figures.ts'
import type { Gateway } from '../gateway.ts'

const node = nodeFigures.extend({
  here: z.boolean().describe('It is the one that was asked'),
  ageMs: z.int().describe('How old its figures are; 0 for the one that was asked'),
})

const answer = z.object({
  nodes: z.array(node).describe('The one that was asked first, the others by name'),
  unheard: z
    .int()
    .nullable()
    .describe(
      `Nodes that live and are not listed: what they say of themselves is not there yet, or is of another version, or there are more than ${NODES_TOLD} besides this one; null: the store is away, so that only this one is known`,
    ),
})

export function nodeRoutes(gateway: Gateway, store: Store): readonly Route[] {
  return [
    route({
      ...forAdmins,
      method: 'GET',
      path: '/api/nodes',
      name: 'listNodes',
      text: `Tells how the nodes are that share a store: the one that was asked as it is now, the others as they said last, which each does every 5 s, at most ${NODES_TOLD} of them. One that was killed is listed for 15 s more.`,
      answers: { 200: { text: 'The nodes.', schema: answer } },
      answer: async () => {
        const own = { ...figuresOf(gateway, store), here: true, ageMs: 0 }
        const { others, unheard } = await othersOf(store)
        return { status: 200, value: { nodes: [own, ...others], unheard } }
      },
    }),
  ]
}

async function othersOf({
  neighbours,
}: Store): Promise<{ readonly others: readonly z.output<typeof node>[]; readonly unheard: number | null }> {
  if (neighbours === null) return { others: [], unheard: 0 }
  try {
    const { said, unheard } = await asked(neighbours.others())
    const others = said.flatMap(({ text, ageMs }) => {
      const figures = readFigures(text)
      return figures === null ? [] : { ...figures, here: false, ageMs }
    })
    others.sort((a, b) => (a.node < b.node ? -1 : 1))
    return { others, unheard: unheard + said.length - others.length }
  } catch (error) {
    // How this one is, is never more wanted than now.
    if (error instanceof ApiError) return { others: [], unheard: null }
    throw error
  }
}
