/**
 * The files that browsers load: the client library as a module, and the pages made with it, held in memory.
 *
 * `npm run build` has written each of them three times: as it is, and compressed as well as it can be, so nothing is compressed while
 * the server runs. A file whose name holds the hash of its content is kept by browsers for ever; of any other they ask whether it is still
 * the same, by its ETag.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { HttpAnswer, HttpRequest } from '../transport/transport.ts'

type Encoding = 'br' | 'gzip' | ''

interface Page {
  readonly type: string
  readonly tag: string
  readonly isForEver: boolean
  readonly bytes: ReadonlyMap<Encoding, Uint8Array>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

const endings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

/** Documents, by their files. */
const documents: Readonly<Record<string, string>> = { '/index.html': '/', '/console.html': '/console' }
const ofConsole = /^\/(assets\/)?console[.-]/

/** What a page may do: load from this server only, connect to this server only, run no script that is made of text, be in no frame. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // One, which makes one address: that of the worker that keeps the page.
  'trusted-types ackd',
].join('; ')

const forDocuments: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
}

/** Browsers complain of it where they do not trust the way that it came: over plain http from another machine. */
const forTrusted: Readonly<Record<string, string>> = { 'Cross-Origin-Opener-Policy': 'same-origin' }

const forAll: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Accept-Encoding',
  // Pages of other origins may load the library; it holds nothing but what it is.
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

export class Pages {
  readonly #pages: ReadonlyMap<string, Page>

  /** By path. */
  constructor(pages: ReadonlyMap<string, Page>) {
    this.#pages = pages
  }

  /** Null when there is no such page. */
  answer(request: Pick<HttpRequest, 'path' | 'header'>): HttpAnswer | null {
    const page = this.#pages.get(request.path)
    if (page === undefined) return null
    const encoding = chosen(request.header('accept-encoding'), page)
    const tag = `"${page.tag}${encoding === '' ? '' : `-${encoding}`}"`
    const isDocument = page.type.startsWith('text/html')
    const headers = {
      ...forAll,
      ...(isDocument && forDocuments),
      // Where they trust it they say what they fetch.
      ...(isDocument && request.header('sec-fetch-dest') !== '' && forTrusted),
      'Cache-Control': page.isForEver ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: tag,
    }
    if (isSame(request.header('if-none-match'), tag)) return { status: 304, type: '', body: '', headers }
    const bytes = page.bytes.get(encoding) ?? new Uint8Array(0)
    const content = encoding === '' ? {} : { 'Content-Encoding': encoding }
    return { status: 200, type: page.type, body: '', bytes, headers: { ...headers, ...content } }
  }
}

/**
 * Reads the files of a directory that `npm run build` has written; without one there are none. `console`: whether the operator's page is
 * among them, with its own script and style.
 */
export function readPages(directory: string, console: 'on' | 'off' = 'on'): Pages {
  const pages = new Map<string, Page>()
  for (const name of namesIn(directory)) {
    const type = types[extname(name)]
    if (type === undefined) continue
    const path = `/${name.replaceAll('\\', '/')}`
    if (console === 'off' && ofConsole.test(path)) continue
    pages.set(documents[path] ?? path, readPage(join(directory, name), type, path))
  }
  return new Pages(pages)
}

function readPage(file: string, type: string, path: string): Page {
  const plain = readFileSync(file)
  const bytes = new Map<Encoding, Uint8Array>([['', plain]])
  for (const [encoding, ending] of endings) {
    const compressed = readIfThere(file + ending)
    if (compressed && compressed.length < plain.length) bytes.set(encoding, compressed)
  }
  const tag = createHash('sha256').update(plain).digest('base64url').slice(0, 22)
  return { type, tag, isForEver: path.startsWith('/assets/'), bytes }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

function readIfThere(file: string): Uint8Array | null {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

/** The best encoding that the browser takes. A weight of 0 forbids one; other weights are not worth weighing. */
function chosen(accepted: string, { bytes }: Page): Encoding {
  const names = accepted
    .split(',')
    .filter(part => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map(part => (part.split(';')[0] ?? '').trim().toLowerCase())
  return endings.map(([encoding]) => encoding).find(encoding => names.includes(encoding) && bytes.has(encoding)) ?? ''
}

function isSame(given: string, tag: string): boolean {
  return given.split(',').some(one => one.trim().replace(/^W\//, '') === tag || one.trim() === '*')
}
