/** The operation that answers where a message is. */
import { z } from 'zod'
import { steps, type Step } from '../../core/trace.ts'
import { streamName } from '../../protocol/mailbox.ts'
import { isRoom, outboxForm } from '../../protocol/names.ts'
import type { Store } from '../../store/store.ts'
import { forAdmins, route, type Route } from './route.ts'
import { clientId, numberInPath, targetInQuery, time } from './shapes.ts'
import { asked } from './asking.ts'
import type { Gateway } from '../gateway.ts'

const state = z
  .enum(['held', 'waiting', 'delivered', 'rejected', 'expired', 'dead', 'unknown'])
  .describe(
    'held: this node has it, and it has no end yet. waiting: it is in the mailbox, or in the log of the room. Or how it ended. unknown: its sender has it still, or nobody remembers',
  )

/** By the last step here, where the store knows nothing: a live message never comes to the store. */
const byStep: Readonly<Record<Step, z.output<typeof state>>> = {
  taken: 'held',
  parked: 'held',
  sent: 'held',
  stored: 'unknown',
  delivered: 'delivered',
  rejected: 'rejected',
  expired: 'expired',
  dead: 'dead',
  retry: 'unknown',
  failed: 'unknown',
}

const message = z.object({
  to: z.string(),
  state,
  steps: z.array(z.object({ time, step: z.enum(steps), detail: z.string().describe('Why, or by which way') })),
})

export function traceRoutes({ hub }: Gateway, store: Store): readonly Route[] {
  return [
    route({
      ...forAdmins,
      method: 'GET',
      path: '/api/trace/:from/:outbox/:n',
      name: 'traceMessage',
      text: 'Tells where a message is: what the store knows of it, and what happened to it on this node, step by step, as long as that is remembered (ACKD_TRACE). A number is one of its stream, so there may be one message for each recipient; name one with `to`, and the store is asked also when no step is remembered.',
      params: z.strictObject({
        from: clientId.describe('The client id of the sender'),
        outbox: z
          .string()
          .regex(outboxForm, 'an outbox is 8 to 32 of A-Za-z0-9_-')
          .describe('The outbox of the sender'),
        n: numberInPath.describe('The number of the message in its stream'),
      }),
      query: z.strictObject({ to: targetInQuery.optional().describe('The recipient: a client or a room') }),
      answers: {
        200: {
          text: 'What is known.',
          schema: z.object({
            remembered: z.int().describe('Steps that this node remembers'),
            messages: z.array(message),
          }),
        },
      },
      errors: ['unavailable'],
      async answer({ params: { from, outbox, n }, query }) {
        const stream = streamName(from, outbox)
        const found = hub.trace.find(stream, n).filter(({ recipient }) => (query.to ?? recipient) === recipient)
        const targets = new Set([
          ...found.map(({ recipient }) => recipient),
          ...(query.to === undefined ? [] : [query.to]),
        ])
        const messages = await Promise.all(
          [...targets].map(async to => {
            const steps = found.filter(({ recipient }) => recipient === to)
            const kept = await keptAs(store, to, stream, n)
            const last = steps.at(-1)
            const state = kept === 'unknown' && last !== undefined ? byStep[last.step] : kept
            return { to, state, steps: steps.map(({ time, step, detail }) => ({ time, step, detail })) }
          }),
        )
        return { status: 200, value: { remembered: hub.trace.size, messages } }
      },
    }),
  ]
}

/** What the store knows. */
async function keptAs(store: Store, to: string, stream: string, n: number): Promise<z.output<typeof state>> {
  if (isRoom(to)) return (await asked(store.rooms.taken(to, stream))) >= n ? 'waiting' : 'unknown'
  const { last, delivered, lost = [] } = await asked(store.sync(to, stream))
  const end = lost.find(([number]) => number === n)?.[1]
  if (end !== undefined) return end
  if (n <= delivered) return 'delivered'
  return n <= last ? 'waiting' : 'unknown'
}
