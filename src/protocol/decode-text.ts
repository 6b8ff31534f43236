/**
 * Decodes text packets: one frame each, a JSON array, §1.
 *
 * The scanner says where the elements lie; the header's become values, one by one, and the body is cut out and stays text.
 */
import { isForbiddenKey } from './check.ts'
import { type Dialect, isMap } from './dialect.ts'
import type { Body } from './frames.ts'
import { type Element, scanFrame } from './scan-json.ts'
import { decodeUtf8 } from './utf8.ts'
import { fromJson } from './values.ts'

/** Elements of a frame that are read; what follows is only checked. */
const MAX_READ = 8

/** Reads the frame of one packet; see `PacketDecoder`. */
export function decodeText<F>(
  bytes: Uint8Array,
  start: number,
  end: number,
  frames: F,
  dialect: Dialect<F>,
): string | null {
  const elements = scanFrame(bytes, start, end, dialect.deepest)
  if (elements === null) return 'the text is not a JSON array in valid UTF-8, or it is nested too deep'
  const first = elements[0]
  if (first === undefined) return 'a frame is empty'
  const op = parse(bytes, first)
  if (typeof op !== 'string') return 'an op is not a string'
  const levels = dialect.levelsOf(op)
  const header: unknown[] = [op]
  let body: Body | null = null
  for (let i = 1; i < elements.length && body === null; i++) {
    const element = elements[i] as Element
    const isBody = i === dialect.bodyAt(op)
    // What is as deep as can be written is read even if it is not wanted: it may be a level too deep in truth.
    if (element.levels > levels && depthOf(fromJson(parse(bytes, element))) > levels)
      return 'a value is nested too deep'
    if (isBody) body = cut(bytes, element)
    else if (i < MAX_READ) {
      const json = parse(bytes, element)
      const wrong = i === dialect.optionsAt(op) ? wrongOptions(json, element.keys) : null
      if (wrong !== null) return wrong
      header.push(fromJson(json))
    }
  }
  return dialect.read(frames, op, header, body)
}

function parse(bytes: Uint8Array, element: Element): unknown {
  return JSON.parse(decodeUtf8(bytes, element.start, element.end))
}

function wrongOptions(json: unknown, keysWritten: number): string | null {
  if (!isMap(json)) return null
  const keys = Object.keys(json)
  if (keys.length !== keysWritten) return 'an option map has a doubled key'
  const forbidden = keys.find(isForbiddenKey)
  return forbidden === undefined ? null : `the key ${forbidden} is not allowed in an option map`
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
  let deepest = 0
  for (const item of Object.values(value)) deepest = Math.max(deepest, depthOf(item))
  return 1 + deepest
}

/**
 * The body as it stands in the packet. Line breaks can only stand between its parts; they become spaces, since on a stream a
 * line break ends a packet.
 */
function cut(bytes: Uint8Array, element: Element): Body {
  const { start, end } = element
  if (!hasLineBreak(bytes, start, end)) return { bytes, start, end, text: true }
  const copy = bytes.slice(start, end).map(byte => (byte === 0x0a || byte === 0x0d ? 0x20 : byte))
  return { bytes: copy, start: 0, end: copy.length, text: true }
}

function hasLineBreak(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte === 0x0a || byte === 0x0d) return true
  }
  return false
}
