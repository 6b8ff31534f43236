/** Writes down which frames were called, bodies as what they hold. */
import type { Body, ClientFrames, ServerFrames } from '../../src/protocol/frames.ts'

export type Call = readonly unknown[]

/** A recorder of either direction: `calls` grows with every frame. */
export function record(calls: Call[]): ClientFrames & ServerFrames {
  const handler: ProxyHandler<object> = {
    get:
      (_target, op) =>
      (...values: unknown[]) => {
        calls.push([op, ...values.map(shown)])
      },
  }
  return new Proxy({}, handler) as ClientFrames & ServerFrames
}

function shown(value: unknown): unknown {
  return isBody(value) ? shownBody(value) : value
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'start' in value
}

/** `json …` or `msgpack …` and the bytes. */
export function shownBody(body: Body): string {
  const bytes = Buffer.from(body.bytes.subarray(body.start, body.end))
  return body.text ? `json ${bytes.toString()}` : `msgpack ${bytes.toString('hex')}`
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function binaryBody(text: string): Body {
  const bytes = hex(text)
  return { bytes, start: 0, end: bytes.length, text: false }
}

export function textBody(text: string): Body {
  const bytes = utf8(text)
  return { bytes, start: 0, end: bytes.length, text: true }
}
