/** The operation by which backends send messages. */
import { z } from 'zod'
import { clientIdForm, roomForm, SERVER_ID } from '../../protocol/names.ts'
import { encodeBody, fromJson } from '../../protocol/values.ts'
import type { Body } from '../../protocol/frames.ts'
import { ApiError, forAdmins, route, type Route } from './route.ts'
import { time } from './shapes.ts'
import type { Gateway } from '../gateway.ts'
import { KEY_LIFE_MS, type Posting } from '../posting.ts'

const HOUR_MS = 3_600_000
const key = /^[\x21-\x7e]{1,255}$/

const message = z.strictObject({
  to: z
    .string('name a client or a room')
    .regex(
      new RegExp(`${clientIdForm.source}|${roomForm.source}`),
      'name a client, 1 to 64 of A-Za-z0-9_.:@-, or a room, # and 1 to 64 of A-Za-z0-9_.:-',
    )
    .describe('The client id or the room that it is for'),
  body: z
    .unknown()
    .refine(body => body !== undefined, 'give any JSON value; null counts')
    .describe(
      'Any JSON value of at most 16 levels; bytes are {"$bin": "base64"}, integers beyond 2^53 {"$int": "decimal"}',
    ),
  ttl: z
    .number('give a number of seconds')
    .positive('give a positive number of seconds')
    .max(1e9, 'give at most 1e9 seconds')
    .optional()
    .describe(
      'Seconds after which it is of no use any more; not for rooms. Without it: as long as the server keeps messages',
    ),
})

const posted = z.object({
  to: z.string(),
  from: z.literal(SERVER_ID),
  outbox: z.string().describe('The outbox of the server that it has its number in'),
  n: z.int().describe('Its number in the stream of sender, outbox and target'),
  receipt: z
    .enum(['stored', 'delivered', 'rejected', 'expired', 'dead'])
    .describe('What it has earned by now; stored, when it is new'),
  repeated: z.boolean().describe('It had been posted before, under the same Idempotency-Key'),
  offset: z.int().nullable().describe('Its place in the log of a room; null elsewhere, and where it was posted before'),
  time: time.describe('When the server accepted it, in ms since the Unix epoch'),
})

export function messageRoutes(gateway: Gateway, posting: Posting): readonly Route[] {
  const { maxPacket } = gateway.limits
  return [
    route({
      ...forAdmins,
      method: 'POST',
      path: '/api/messages',
      name: 'postMessage',
      text: `Sends a message from ${SERVER_ID} to a client or a room. It is answered when it is stored, durably, and reaches a recipient who is there at once. Messages posted to one target, one after the other, arrive in that order. After \`unavailable\`, or without an answer, it may have been stored; with an Idempotency-Key it can be sent again, and is stored once.`,
      body: message,
      maxBody: maxPacket,
      headers: {
        'Idempotency-Key': `1 to 255 visible characters of ASCII. Whatever is posted to the same target under the same key within ${KEY_LIFE_MS / HOUR_MS} hours is one message, and the answer says what became of it; another message under that key is refused with \`conflict\`.`,
      },
      answers: {
        200: { text: 'It had been posted before, under the same key.', schema: posted },
        201: { text: 'It is stored.', schema: posted },
      },
      errors: [
        'unknown_recipient',
        'no_such_room',
        'conflict',
        'too_large',
        'not_json',
        'mailbox_full',
        'unavailable',
        'overloaded',
      ],
      async answer({ body: { to, body, ttl = 0 }, request }) {
        const given = request.header('idempotency-key')
        if (given !== '' && !key.test(given))
          throw new ApiError('bad_request', 'Idempotency-Key: give 1 to 255 visible characters of ASCII.')
        const result = await posting.post({ target: to, body: bodyOf(body), ttl, key: given })
        return {
          status: result.repeated ? 200 : 201,
          value: { to, from: SERVER_ID, ...result, time: gateway.clock.time },
        }
      },
    }),
  ]
}

function bodyOf(given: unknown): Body {
  try {
    return encodeBody(fromJson(given), true)
  } catch (error) {
    if (error instanceof TypeError) throw new ApiError('bad_request', `body.body: ${error.message}`)
    throw error
  }
}
