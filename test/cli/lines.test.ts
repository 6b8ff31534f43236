import { describe, expect, it } from 'vitest'
import { readLines } from '../../src/cli/lines.ts'

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe('readLines', () => {
  it('finds lines wherever the chunks are cut', async () => {
    expect(await collect(readLines(chunks('a', 'b\nc', 'd\n', '\ne'), 10))).toEqual(['ab', 'cd', '', 'e'])
  })

  it('does not count a carriage return before the line break', async () => {
    expect(await collect(readLines(chunks('a\r\nb\r\n'), 10))).toEqual(['a', 'b'])
  })

  it('keeps characters whole that were cut in two', async () => {
    const bytes = Buffer.from('grüße\n')
    async function* halves(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 3)
      yield await Promise.resolve(bytes.subarray(3))
    }
    expect(await collect(readLines(halves(), 10))).toEqual(['grüße'])
  })

  it('refuses a line that is too long before it has ended', async () => {
    await expect(collect(readLines(chunks('12345', '67890', '1'), 10))).rejects.toThrow('more than 10 bytes')
  })

  it('refuses a line that is too long in one chunk', async () => {
    await expect(collect(readLines(chunks('12345678901\n'), 10))).rejects.toThrow('more than 10 bytes')
  })
})
