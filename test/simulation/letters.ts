/** What the bodies of messages say in a simulated world: which one they are, so that the judge needs nothing else. */
import type { Body } from '../../src/protocol/frames.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The k-th of what one sender wrote to one recipient: `sender>recipient`. */
export interface Letter {
  readonly pair: string
  readonly k: number
}

export function toBody(letter: Letter): Body {
  const bytes = encoder.encode(`${letter.pair} ${letter.k}`)
  return { bytes, start: 0, end: bytes.length, text: false }
}

export function toLetter(body: Body): Letter {
  const [pair = '', k = '0'] = decoder.decode(body.bytes.subarray(body.start, body.end)).split(' ')
  return { pair, k: Number(k) }
}
