/**
 * An identity provider for tests: keys of every kind, a JWKS address over real HTTP that can be made to fail, and tokens of any form, also
 * such as no honest issuer makes.
 */
import { createHmac } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA'

export const secret = 'a secret of forty bytes, for tests only!'

export function base64url(value: string | object): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** Seconds since the epoch, so many from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds
}

/** A token by HS256, made by hand, so that header and claims can be anything. */
export function tokenOf(claims: object, header: object = {}, key = secret): string {
  const signed = `${base64url({ alg: 'HS256', ...header })}.${base64url({ exp: inSeconds(600), ...claims })}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

interface Signer {
  readonly alg: Algorithm
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

export class Issuer {
  readonly url: string
  /** How often the keys were asked for. */
  asked = 0
  /** Whether it begins to answer, and then says a byte now and then, without end. */
  drips = false
  /** Answers that drip, and whose reader has not gone yet. */
  dripping = 0
  /** What is answered instead of the keys. */
  answer: { readonly status: number; readonly body: string } | null = null
  readonly #server: Server
  readonly #signers = new Map<string, Signer>()
  #jwks: JWK[] = []

  constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    server.on('request', (_, response) => {
      this.asked++
      if (this.drips) return this.#drip(response)
      const { status, body } = this.answer ?? { status: 200, body: JSON.stringify({ keys: this.#jwks }) }
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
  }

  static async start(): Promise<Issuer> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new Issuer(server)
  }

  /** Makes a key and publishes it. */
  async make(kid: string, alg: Algorithm): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    this.#signers.set(kid, { alg, kid, privateKey, publicKey })
    this.publish({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })
  }

  publish(key: JWK): void {
    this.#jwks.push(key)
  }

  withdraw(kid: string): void {
    this.#jwks = this.#jwks.filter(key => key.kid !== kid)
  }

  sign(kid: string, claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
    const { alg, privateKey } = this.#signer(kid)
    return new SignJWT({ exp: inSeconds(600), ...claims }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  }

  /** The public key as the text that whoever confuses algorithms would take for a secret. */
  pem(kid: string): Promise<string> {
    return exportSPKI(this.#signer(kid).publicKey)
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }

  #drip(response: ServerResponse): void {
    this.dripping++
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const timer = setInterval(() => response.write(' '), 100)
    response.once('close', () => {
      clearInterval(timer)
      this.dripping--
    })
  }

  #signer(kid: string): Signer {
    const signer = this.#signers.get(kid)
    if (signer === undefined) throw new Error(`no key ${kid} was made`)
    return signer
  }
}
