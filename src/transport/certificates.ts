/**
 * Where the certificate of the TLS port comes from: from the operator's files, or made here for trying things out.
 *
 * A development certificate names localhost and its addresses, and is kept with the data so that clients who were told to trust it can
 * go on doing so. It proves nothing to anybody else, and whoever starts the server says so.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { makeDevelopmentCertificate } from './development.ts'
import { ListenError, type Certificate } from './transport.ts'

const CERT_FILE = 'tls-development.crt'
const KEY_FILE = 'tls-development.key'

/** Paths; an empty one is not given. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
  readonly clientCa: string
}

/** Reads PEM files. Throws `ListenError` when one cannot be read, or they do not belong together. */
export function readCertificate({ cert, key, clientCa }: CertificateFiles): Certificate {
  if (cert === '' || key === '') {
    const [given, missing] = cert === '' ? ['ACKD_TLS_KEY', 'ACKD_TLS_CERT'] : ['ACKD_TLS_CERT', 'ACKD_TLS_KEY']
    throw new ListenError(
      `There is ${given} without ${missing}.`,
      'Give both, or neither for a development certificate.',
    )
  }
  const certificate = { cert: readPem('ACKD_TLS_CERT', cert), key: readPem('ACKD_TLS_KEY', key), ...readCa(clientCa) }
  try {
    createSecureContext(certificate)
  } catch (error) {
    throw new ListenError(
      `The certificate in ${cert} with the key in ${key} cannot be used: ${said(error)}.`,
      'Both must be PEM, the key without a passphrase, and the first certificate of the file must be of that key.',
    )
  }
  return certificate
}

/** Reads or makes the certificate of `directory`; null keeps it in memory only. */
export function developmentCertificate(directory: string | null, clientCa: string): Certificate {
  const kept = directory === null ? null : readKept(directory)
  const pair = kept ?? makeDevelopmentCertificate()
  if (kept === null && directory !== null) keep(directory, pair)
  return { ...pair, ...readCa(clientCa) }
}

/** Where a client finds the certificate that it has to trust. */
export function developmentFile(directory: string): string {
  return join(directory, CERT_FILE)
}

interface Pair {
  readonly cert: string
  readonly key: string
}

function readCa(path: string): { ca?: string } {
  return path === '' ? {} : { ca: readPem('ACKD_TLS_CLIENT_CA', path) }
}

function readPem(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ListenError(`${option} cannot be read: ${said(error)}.`, 'Correct the path, or let this user read it.')
  }
}

/** Null when there is none, or none that is of use any more. */
function readKept(directory: string): Pair | null {
  const [certFile, keyFile] = [join(directory, CERT_FILE), join(directory, KEY_FILE)]
  if (!existsSync(certFile) || !existsSync(keyFile)) return null
  const pair = { cert: readPem(CERT_FILE, certFile), key: readPem(KEY_FILE, keyFile) }
  try {
    const certificate = new X509Certificate(pair.cert)
    const lasts = Date.parse(certificate.validTo) > Date.now()
    return lasts && certificate.checkPrivateKey(createPrivateKey(pair.key)) ? pair : null
  } catch {
    return null
  }
}

function keep(directory: string, { cert, key }: Pair): void {
  try {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, KEY_FILE), key, { mode: 0o600 })
    writeFileSync(join(directory, CERT_FILE), cert)
  } catch (error) {
    throw new ListenError(
      `The development certificate cannot be kept: ${said(error)}.`,
      'Let this user write ACKD_DATA_DIR, give ACKD_TLS_CERT and ACKD_TLS_KEY, or set ACKD_TLS_PORT to off.',
    )
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
