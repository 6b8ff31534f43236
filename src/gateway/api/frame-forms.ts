/**
 * The frames of the wire as forms: what each holds, element by element, for the AsyncAPI document. Checks on the wire are done by the
 * codec, which is faster; a test holds the two together by the golden frames.
 *
 * The tables have every method of `ClientFrames` and `ServerFrames`, or they do not compile.
 */
import { z } from 'zod'
import { closeReasons, refusals } from '../../protocol/errors.ts'
import type { ClientFrames, ServerFrames } from '../../protocol/frames.ts'
import { clientIdForm, outboxForm, roomForm } from '../../protocol/names.ts'

export interface FrameForm {
  readonly text: string
  /** What a text packet holds: an array, of which further elements are ignored. */
  readonly schema: z.ZodTuple
}

const ref = z.union([z.int(), z.string()]).describe('Chosen by the client, to match a reply or an error')
const number = z.int().min(1)
const n = number.describe('The number of a message in its stream: sender, outbox and target')
const seq = number.describe('Numbers the frames of one connection that want an ack')
const offset = number.describe('The place of a message in the log of a room')
const time = z.int().describe('ms since the Unix epoch, by the clock of the server')
const id = z.string().regex(clientIdForm).describe('A client id')
const room = z.string().regex(roomForm).describe('The name of a room')
const target = z.union([id, room])
const outbox = z.string().regex(outboxForm).describe('The name of an outbox')
const body = z
  .unknown()
  .describe('Any value. Bytes are {"$bin": "base64"} in JSON, integers beyond 2^53 {"$int": "decimal"}')
const end = z.enum(['rejected', 'expired', 'dead'])
const refusal = z.string().describe(`Why: ${Object.keys(refusals).join(', ')}`)
const page = options({ limit: number.optional(), after: z.string().optional() })

/** The options at the end of a frame. */
function options(shape: z.core.$ZodShape): z.ZodType {
  return z.looseObject(shape).nullish().describe('May be nil or left out')
}

function frame(text: string, op: string, ...elements: readonly z.ZodType[]): FrameForm {
  return { text, schema: z.tuple([z.literal(op), ...elements], z.unknown()) }
}

export const clientForms: Readonly<Record<Exclude<keyof ClientFrames, 'unknown'>, FrameForm>> = {
  hello: frame(
    'The first frame, within a few seconds.',
    'hello',
    z.looseObject({
      v: z.literal(1).describe('The version of the protocol'),
      id: z.string().optional(),
      secret: z.string().optional().describe('Proves the id'),
      token: z.string().optional().describe('Proves its sub'),
      name: z.string().optional().describe('What others see'),
      outbox: outbox.optional(),
      attempt: z.int().min(0).optional().describe('Counts the connections that this outbox has opened'),
      window: number.optional().describe('Most un-acked frames wanted'),
      agent: z.string().optional(),
    }),
  ),
  send: frame(
    'Hands over message n of a stream. n and floor null: the server numbers it.',
    'send',
    n.nullable(),
    number.nullable().describe('The lowest n that the sender still holds'),
    target,
    z.looseObject({ ttl: z.number().positive().optional().describe('Seconds') }).nullable(),
    body,
  ),
  ack: frame('Everything up to seq is done with.', 'ack', seq),
  nack: frame('Everything before seq is done with; seq itself is refused for good.', 'nack', seq, z.string()),
  sync: frame('Asks what the recipient has of my stream.', 'sync', ref, target),
  signal: frame('To whoever is there now; never stored.', 'signal', target, body),
  presence: frame('Asks which of these are online.', 'presence', ref, z.array(id).max(200)),
  rotate: frame('Asks for a new secret.', 'rotate', ref),
  join: frame(
    'Enters a room; with since, what came after that offset comes first.',
    'join',
    ref,
    room,
    options({
      since: z.int().min(0).optional(),
      epoch: z.string().optional(),
      password: z.string().optional(),
      epochs: z.boolean().optional(),
    }),
  ),
  leave: frame('Leaves a room.', 'leave', ref, room),
  create: frame(
    'Makes a room of one’s own.',
    'create',
    ref,
    room,
    options({ private: z.boolean().optional(), password: z.string().optional(), history: z.int().optional() }),
  ),
  delete: frame('Deletes a room and its log.', 'delete', ref, room),
  rooms: frame('Asks for the public rooms.', 'rooms', ref, page),
  members: frame('Asks who is in a room.', 'members', ref, room, page),
  history: frame(
    'Asks for a page of the log of a room.',
    'history',
    ref,
    room,
    options({
      before: offset.optional(),
      after: z.int().min(0).optional(),
      limit: number.max(200).optional(),
      from: id.optional(),
    }),
  ),
  token: frame('Replaces the token of the connection before it expires.', 'token', ref, z.string()),
  ping: frame('Wants a pong.', 'ping'),
  pong: frame('Answers a ping.', 'pong'),
  bye: frame('Leaves cleanly: what is un-acked is parked at once.', 'bye'),
}

export const serverForms: Readonly<Record<Exclude<keyof ServerFrames, 'unknown'>, FrameForm>> = {
  welcome: frame(
    'The hello was accepted.',
    'welcome',
    z.looseObject({
      v: z.literal(1),
      id,
      secret: z.string().optional().describe('Of a new id: keep it, it is not told again'),
      resumed: z.boolean(),
      expires: time.describe('When the id lapses if it stays unused'),
      parked: z.int().describe('Messages waiting'),
      outbox: z.string(),
      window: number,
      sendWindow: z.looseObject({ messages: number, bytes: number }),
      maxPacket: number.describe('Bytes'),
      pingInterval: number.describe('ms'),
      ackTimeout: number.describe('ms'),
      time,
      node: z.string(),
    }),
  ),
  message: frame(
    'A message, to be acked. Bit 0 of the flags: it waited for this connection; bit 1: it may have been sent before.',
    'message',
    ...[seq, id, z.string(), n, time, z.int().min(0).describe('Flags'), body],
  ),
  void: frame('Message n will never come; acked like a message.', 'void', seq, id, z.string(), n, end),
  delivered: receipt('Every n up to this one was acked by the recipient.', 'delivered'),
  stored: receipt('Every n up to this one is delivered or kept.', 'stored'),
  ended: {
    text: 'Exactly n ended for good.',
    schema: z.tuple([z.literal('receipt'), end, target, n, z.string().describe('The reason')], z.unknown()),
  },
  failed: {
    text: 'Exactly n was refused for good; its number is free.',
    schema: z.tuple(
      [z.literal('receipt'), z.literal('failed'), z.string().describe('What the send named as its target'), n, refusal],
      z.unknown(),
    ),
  },
  retry: receipt('Nothing from n on was taken; send again from n after so many ms.', 'retry', refusal, z.int().min(0)),
  room: frame('A message of a room, to every member.', 'room', ...[room, offset, id, z.string(), n, time, body]),
  members: frame('Somebody came or went.', 'members', room, z.enum(['join', 'leave']), id, z.string().describe('Name')),
  signal: frame('What somebody signals.', 'signal', id, target, body),
  reply: frame('The answer to a frame with a ref.', 'reply', ref, z.unknown()),
  error: frame('A frame was refused; the connection stays.', 'error', ref.nullable(), refusal, z.string()),
  close: frame(
    'The last frame before the server closes.',
    'close',
    z.string().describe(`Why: ${Object.keys(closeReasons).join(', ')}`),
    z.string(),
    z.int().min(0).nullable().describe('Come back after so many ms'),
  ),
  ping: frame('Wants a pong.', 'ping'),
  pong: frame('Answers a ping.', 'pong'),
}

function receipt(text: string, kind: string, ...more: readonly z.ZodType[]): FrameForm {
  return { text, schema: z.tuple([z.literal('receipt'), z.literal(kind), target, n, ...more], z.unknown()) }
}
