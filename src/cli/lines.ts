/**
 * A stream of bytes as lines, with a limit: what a command reads from stdin may never end, and may never hold a line break.
 *
 * Node's readline has no limit on the length of a line and reads ahead of whoever is slow; here the next chunk is asked for when
 * the lines of the last one were taken.
 */
import { Failure } from './failure.ts'

export async function* readLines(input: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let left: Uint8Array[] = []
  let leftBytes = 0
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      yield toLine([...left, chunk.subarray(start, end)], maxBytes)
      left = []
      leftBytes = 0
      start = end + 1
    }
    left.push(chunk.subarray(start))
    leftBytes += chunk.length - start
    if (leftBytes > maxBytes) throw tooLong(maxBytes)
  }
  if (leftBytes > 0) yield toLine(left, maxBytes)
}

function toLine(parts: readonly Uint8Array[], maxBytes: number): string {
  const bytes = Buffer.concat(parts)
  if (bytes.length > maxBytes) throw tooLong(maxBytes)
  return bytes.toString('utf8', 0, bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length)
}

function tooLong(maxBytes: number): Failure {
  return new Failure('failed', `a line of more than ${maxBytes} bytes`, 'split it, or send a link to it')
}
