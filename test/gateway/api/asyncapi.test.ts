import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { clientForms, serverForms, type FrameForm } from '../../../src/gateway/api/frame-forms.ts'
import { clientFrames, serverFrames } from '../../protocol/golden.ts'
import { ApiCaller } from '../api-caller.ts'
import { danglingIn } from '../openapi-check.ts'

const reference = z.strictObject({ $ref: z.string() })

/** AsyncAPI 3.0, as far as this document makes use of it. */
const document = z.strictObject({
  asyncapi: z.literal('3.0.0'),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  defaultContentType: z.literal('application/json'),
  channels: z.record(
    z.string(),
    z.strictObject({ address: z.string(), description: z.string(), messages: z.record(z.string(), reference) }),
  ),
  operations: z.record(
    z.string(),
    z.strictObject({
      action: z.enum(['send', 'receive']),
      channel: reference,
      messages: z.array(reference).min(1),
      summary: z.string(),
    }),
  ),
  components: z.strictObject({
    messages: z.record(
      z.string().regex(/^[a-z]+-[a-z]+$/),
      z.strictObject({ name: z.string(), summary: z.string(), payload: z.looseObject({ type: z.literal('array') }) }),
    ),
  }),
})

describe('the AsyncAPI document', async () => {
  const caller = await ApiCaller.start()
  const { status, value } = await caller.ask('/api/asyncapi.json', { token: null })
  afterAll(() => caller.close())

  it('is served to everyone, is one, and refers to nothing that is not there', () => {
    expect(status).toBe(200)
    expect(document.safeParse(value).error?.issues).toBeUndefined()
    expect(danglingIn(value)).toEqual([])
  })

  it('has every frame of both sides, as what the server hears and says', () => {
    const { operations } = document.parse(value)
    const named = (operation: string): string[] =>
      operations[operation]!.messages.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1))
    expect(named('hear')).toEqual(Object.keys(clientForms).map(name => `client-${name}`))
    expect(named('say')).toEqual(Object.keys(serverForms).map(name => `server-${name}`))
  })
})

describe('the forms of the frames', () => {
  const both = [
    ...clientFrames.map(({ name, text }) => ({ name: `client: ${name}`, text, forms: clientForms })),
    ...serverFrames.map(({ name, text }) => ({ name: `server: ${name}`, text, forms: serverForms })),
  ]
  /** The forms of the op with which a frame begins; receipts have several. */
  const formsOf = (frame: unknown[], forms: Readonly<Record<string, FrameForm>>): FrameForm[] =>
    Object.values(forms).filter(
      ({ schema }) => schema.def.items[0] instanceof z.ZodLiteral && schema.def.items[0].value === frame[0],
    )

  it.each(both)('fit what the codec writes: $name', ({ text, forms }) => {
    // The golden frames keep names of outboxes and nodes short.
    const frame = JSON.parse(text.replaceAll('"outbox":"o"', '"outbox":"outbox01"')) as unknown[]
    const fitting = formsOf(frame, forms).filter(({ schema }) => schema.safeParse(frame).success)
    expect(fitting).toHaveLength(1)
    const { items } = fitting[0]!.schema.def
    expect(items).toHaveLength(frame.length)
    if (frame.length > 1) expect(fitting[0]!.schema.safeParse([frame[0]]).success).toBe(false)
  })

  it.each(['join', 'create', 'rooms', 'members', 'history'] as const)(
    'let %s go without its options, or with nil',
    op => {
      const { schema } = clientForms[op]
      const frame = op === 'rooms' ? [op, 1] : [op, 1, '#tea']
      for (const said of [frame, [...frame, null], [...frame, {}]]) expect(schema.safeParse(said).success).toBe(true)
      expect(schema.safeParse([...frame, 5]).success).toBe(false)
    },
  )

  it('take a refusal of a target that is none, as it was named', () => {
    expect(serverForms.failed.schema.safeParse(['receipt', 'failed', 'no id!', 1, 'bad_id']).success).toBe(true)
  })
})
