/** What browsers load, and what they are told about it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPages, type Pages } from '../../src/gateway/pages.ts'
import type { HttpAnswer } from '../../src/transport/transport.ts'

const directory = mkdtempSync(join(tmpdir(), 'ackd-pages-'))
const script = 'export const answer = 42 // '.padEnd(1_000, 'x')
let pages: Pages

beforeAll(() => {
  mkdirSync(join(directory, 'assets'))
  const files: Record<string, string | Uint8Array> = {
    'client.js': script,
    'client.js.gz': gzipSync(script),
    'client.js.br': 'as small as brotli',
    'tiny.css': 'a{}',
    'tiny.css.gz': gzipSync('a{}'),
    'index.html': '<!doctype html>',
    'console.html': '<!doctype html>',
    'assets/console-abc123.css': 'a{}',
    'assets/page-abc123.js': script,
    secret: 'not for browsers',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
  pages = readPages(directory)
})

afterAll(() => {
  rmSync(directory, { recursive: true })
})

function get(path: string, headers: Record<string, string> = {}): HttpAnswer | null {
  return pages.answer({ path, header: name => headers[name] ?? '' })
}

const text = ({ bytes }: HttpAnswer): string => new TextDecoder().decode(bytes)

describe('a page', () => {
  test('is compressed as well as the browser understands', () => {
    const plain = get('/client.js')!
    expect(text(plain)).toBe(script)
    expect(plain.headers).not.toHaveProperty('Content-Encoding')
    expect(get('/client.js', { 'accept-encoding': 'gzip, deflate, br' })!.headers).toMatchObject({
      'Content-Encoding': 'br',
      Vary: 'Accept-Encoding',
    })
    const gzip = get('/client.js', { 'accept-encoding': 'gzip;q=0.5, br;q=0' })!
    expect(gunzipSync(gzip.bytes!).toString()).toBe(script)
  })

  test('is not compressed when that makes it larger', () => {
    expect(get('/tiny.css', { 'accept-encoding': 'gzip' })!.headers).not.toHaveProperty('Content-Encoding')
  })

  test('is not sent again when the browser has it, in that very encoding', () => {
    const accepts = { 'accept-encoding': 'gzip' }
    const { ETag: tag = '' } = get('/client.js', accepts)!.headers!
    expect(get('/client.js', { ...accepts, 'if-none-match': `"other", W/${tag}` })).toMatchObject({
      status: 304,
      body: '',
    })
    expect(get('/client.js', { 'if-none-match': tag })!.status).toBe(200)
    expect(get('/client.js', { ...accepts, 'if-none-match': '*' })!.status).toBe(304)
  })

  test('with a hash in its name is kept for ever, any other is asked for', () => {
    expect(get('/assets/page-abc123.js')!.headers!['Cache-Control']).toBe('public, max-age=31536000, immutable')
    expect(get('/client.js')!.headers!['Cache-Control']).toBe('no-cache')
  })

  test('that is a document may load from here only', () => {
    const document = get('/')!
    expect(document.type).toBe('text/html; charset=utf-8')
    expect(document.headers!['Content-Security-Policy']).toMatch(
      /^default-src 'self'; .*require-trusted-types-for 'script'/,
    )
    expect(get('/client.js')!.headers).not.toHaveProperty('Content-Security-Policy')
    expect(document.headers).not.toHaveProperty('Cross-Origin-Opener-Policy')
    expect(get('/', { 'sec-fetch-dest': 'document' })!.headers).toHaveProperty('Cross-Origin-Opener-Policy')
  })

  test.each(['/secret', '/client.js.gz', '/index.html', '/console.html', '/../package.json', '/none'])(
    'is not at %s',
    path => {
      expect(get(path)).toBeNull()
    },
  )
})

test("the operator's page can be switched off, with what only it loads", () => {
  const paths = ['/console', '/assets/console-abc123.css', '/assets/page-abc123.js', '/']
  const there = (of: Pages): boolean[] => paths.map(path => of.answer({ path, header: () => '' }) !== null)
  expect(there(pages)).toEqual([true, true, true, true])
  expect(there(readPages(directory, 'off'))).toEqual([false, false, true, true])
})

test('without the directory there are no pages', () => {
  expect(readPages(join(directory, 'none')).answer({ path: '/', header: () => '' })).toBeNull()
})
