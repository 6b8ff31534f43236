/**
 * A body from one encoding into the other, for a client that speaks JSON and one that speaks MessagePack.
 *
 * It goes by way of the value: slower than from bytes to bytes, but it is the same reading and writing as everywhere, and only
 * pairs of unlike clients pay for it. It cannot fail for a body that a decoder handed on: what JSON can say and MessagePack
 * cannot (a number above all numbers, half a surrogate pair) is a bad frame already when it comes in. Equal keys of one map
 * become one, the last.
 */
import type { Body } from './frames.ts'
import { decodeBody, encodeBody } from './values.ts'

/** The body in that encoding: itself if it is in it already. */
export function inEncoding(body: Body, text: boolean): Body {
  return body.text === text ? body : encodeBody(decodeBody(body), text)
}
