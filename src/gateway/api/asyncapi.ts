/** The AsyncAPI 3 document of the side that clients speak to: the frames, made from the tables of their forms and of the errors. */
import { closeReasons, refusals } from '../../protocol/errors.ts'
import { jsonSchema, type Json } from './route.ts'
import { clientForms, serverForms, type FrameForm } from './frame-forms.ts'

const DESCRIPTION = `Frames, over WebSocket, TCP and TLS: JSON arrays in text packets, or MessagePack arrays in binary ones; this document describes the arrays. docs/protocol.md says what they mean, and in which order.`

export function asyncApiDocument(version: string): Json {
  const client = messagesOf(clientForms, 'client')
  const server = messagesOf(serverForms, 'server')
  const channel = '#/channels/frames'
  const refs = (messages: Json): Json =>
    Object.fromEntries(Object.keys(messages).map(name => [name, { $ref: `#/components/messages/${name}` }]))
  const inChannel = (messages: Json): Json[] =>
    Object.keys(messages).map(name => ({ $ref: `${channel}/messages/${name}` }))
  return {
    asyncapi: '3.0.0',
    info: { title: 'ackd', version, description: `${DESCRIPTION}\n\n${errorsText()}` },
    defaultContentType: 'application/json',
    channels: {
      frames: {
        address: '/ws',
        description: 'One connection of one client.',
        messages: { ...refs(client), ...refs(server) },
      },
    },
    operations: {
      hear: {
        action: 'receive',
        channel: { $ref: channel },
        messages: inChannel(client),
        summary: 'What a client says.',
      },
      say: {
        action: 'send',
        channel: { $ref: channel },
        messages: inChannel(server),
        summary: 'What the server says.',
      },
    },
    components: { messages: { ...client, ...server } },
  }
}

/** Both sides have a ping, so a name says whose it is. */
function messagesOf(forms: Readonly<Record<string, FrameForm>>, whose: string): Json {
  return Object.fromEntries(
    Object.entries(forms).map(([name, { text, schema }]) => [
      `${whose}-${name}`,
      { name, summary: text, payload: jsonSchema(schema, 'output') },
    ]),
  )
}

function errorsText(): string {
  const closes = Object.entries(closeReasons).map(([name, { number, text }]) => `- \`${name}\` (${number}): ${text}`)
  const codes = Object.entries(refusals).map(([name, { text }]) => `- \`${name}\`: ${text}`)
  return ['Closes:', ...closes, '', 'Refusals:', ...codes].join('\n')
}
