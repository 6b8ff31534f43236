/** Bodies for tests that do not care about their encoding. */
import type { Body } from '../../src/protocol/frames.ts'

export function textBody(text: string): Body {
  const bytes = new TextEncoder().encode(text)
  return { bytes, start: 0, end: bytes.length, text: false }
}

export function decodeText({ bytes, start, end }: Body): string {
  return new TextDecoder().decode(bytes.subarray(start, end))
}
