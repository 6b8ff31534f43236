/**
 * HTTP by uWebSockets.js, in the neutral shape of `transport.ts`.
 *
 * The request of uWebSockets.js is gone when its callback returns, so what may be wanted of it is copied; its response is gone when
 * the peer hangs up, so nothing is written after that. Pieces of a body come from then on, and are kept only if they were
 * asked for and fit. A body that was not read to its end closes the connection after the answer, so that an endless one costs nothing.
 *
 * Of an answer only what the network takes is handed on, and the rest when it takes more, so that who reads nothing has one answer kept for him.
 * uWebSockets.js closes the connection of who asks on meanwhile, and of who reads nothing for ten seconds.
 */
import { Buffer } from 'node:buffer'
import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js'
import type { TrustedProxies } from './proxies.ts'
import { BodyError, type AnswerHttp, type HttpAnswer, type HttpRequest } from './transport.ts'

const statusLines: Record<number, string> = {
  200: '200 OK',
  201: '201 Created',
  204: '204 No Content',
  304: '304 Not Modified',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  409: '409 Conflict',
  413: '413 Content Too Large',
  415: '415 Unsupported Media Type',
  429: '429 Too Many Requests',
  503: '503 Service Unavailable',
  507: '507 Insufficient Storage',
}

const TOO_MANY = 429

const fault: HttpAnswer = {
  status: 500,
  type: 'application/json',
  body: '{"error":{"code":"internal","text":"The server failed at this request; its log says why."}}',
}

/** Answers one request. Never throws. */
export function answerRequest(
  response: UwsResponse,
  request: UwsRequest,
  proxies: TrustedProxies,
  answer: AnswerHttp,
): void {
  const exchange = new Exchange(response, request, proxies)
  // A proxy in front may go by the other one, and then means another request to begin here. An answer would not keep that from being read.
  if (exchange.header('content-length').includes(',')) return void response.close()
  answer(exchange).then(
    answered => exchange.answer(answered),
    () => exchange.answer(fault),
  )
}

/** The address of the client, as far as the proxies in front are trusted to know it. */
export function clientAddress(
  response: UwsResponse,
  headers: ReadonlyMap<string, string>,
  proxies: TrustedProxies,
): string {
  return proxies.clientOf(peerAddress(response), headers.get('x-forwarded-for') ?? '')
}

/** All headers; what comes more than once is one list, as HTTP has it, so that nobody can hide one behind another. */
export function readHeaders(request: UwsRequest): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  request.forEach((name, value) => {
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  })
  return headers
}

/** The address of the peer, an IPv4 one also where it comes in the clothes of IPv6. */
function peerAddress(response: UwsResponse): string {
  const bytes = Buffer.from(response.getRemoteAddress())
  if (bytes.length === 4) return bytes.join('.')
  const mapped =
    bytes.length === 16 && bytes.readUInt16BE(10) === 0xffff && bytes.subarray(0, 10).every(byte => byte === 0)
  if (mapped) return bytes.subarray(12).join('.')
  return Buffer.from(response.getRemoteAddressAsText()).toString()
}

/** Somebody waits for the body. */
interface Reader {
  readonly limit: number
  resolve(body: Uint8Array): void
  reject(error: BodyError): void
}

/** Writes a body at the pace of its reader. */
function hand(response: UwsResponse, body: string | Uint8Array): void {
  const size = Buffer.byteLength(body)
  const [, whole] = response.tryEnd(body, size)
  if (whole) return
  const bytes = Buffer.from(body)
  response.onWritable(offset => {
    const [taken] = response.tryEnd(bytes.subarray(offset), size)
    return taken
  })
}

class Exchange implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly address: string
  readonly #headers: ReadonlyMap<string, string>
  readonly #response: UwsResponse
  #reader: Reader | null = null
  #pieces: Buffer[] = []
  #size = 0
  /** The body, if there is one, has come whole. */
  #whole: boolean
  /** Answered, or the peer has hung up: the response is not to be touched any more. */
  #over = false

  constructor(response: UwsResponse, request: UwsRequest, proxies: TrustedProxies) {
    this.#response = response
    this.method = request.getMethod().toUpperCase()
    this.path = request.getUrl()
    // Undefined when there is none, whatever its type says.
    this.query = request.getQuery() || ''
    this.#headers = readHeaders(request)
    this.address = clientAddress(response, this.#headers, proxies)
    this.#whole = this.header('transfer-encoding') === '' && !(Number(this.header('content-length')) > 0)
    response.onAborted(() => this.#abort())
    if (!this.#whole) response.onData((piece, last) => this.#received(piece, last))
  }

  header(name: string): string {
    return this.#headers.get(name) ?? ''
  }

  body(limit: number): Promise<Uint8Array> {
    if (this.#whole) return Promise.resolve(new Uint8Array(0))
    return new Promise((resolve, reject) => {
      if (this.#over) reject(new BodyError('aborted'))
      else if (Number(this.header('content-length')) > limit) reject(new BodyError('too_large'))
      else this.#reader = { limit, resolve, reject }
    })
  }

  answer({ status, type, body: text, bytes, headers = {} }: HttpAnswer): void {
    if (this.#over) return
    const body = bytes ?? text
    const response = this.#response
    // What has no body does not wait for its reader, and would pile up where there are too many.
    if (this.method === 'HEAD' && status === TOO_MANY) return void response.close()
    response.cork(() => {
      response.writeStatus(statusLines[status] ?? '500 Internal Server Error')
      if (type !== '') response.writeHeader('Content-Type', type)
      if (!('Cache-Control' in headers)) response.writeHeader('Cache-Control', 'no-store')
      for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value)
      // Given a length, `endWithoutBody` would wait for ever for that many bytes.
      if (this.method === 'HEAD') response.writeHeader('Content-Length', String(Buffer.byteLength(body)))
      if (this.method === 'HEAD' || status === 204 || status === 304) response.endWithoutBody()
      else if (this.#whole) hand(response, body)
      else response.end(body, true)
    })
    this.#over = true
    this.#forget()
  }

  #received(piece: ArrayBuffer, last: boolean): void {
    if (last) this.#whole = true
    const reader = this.#reader
    if (reader === null) return
    this.#size += piece.byteLength
    if (this.#size > reader.limit) {
      this.#forget()
      return reader.reject(new BodyError('too_large'))
    }
    // The piece is gone when this returns.
    this.#pieces.push(Buffer.from(Buffer.from(piece)))
    if (!last) return
    const body = Buffer.concat(this.#pieces)
    this.#forget()
    reader.resolve(body)
  }

  #abort(): void {
    this.#over = true
    const reader = this.#reader
    this.#forget()
    reader?.reject(new BodyError('aborted'))
  }

  #forget(): void {
    this.#reader = null
    this.#pieces = []
  }
}
