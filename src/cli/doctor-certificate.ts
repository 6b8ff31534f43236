/** What a server would prove itself with on its TLS port: read as the server reads it, and then how long it lasts. */
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Options } from '../options.ts'
import { developmentCertificate, developmentFile, readCertificate } from '../transport/certificates.ts'
import { ListenError } from '../transport/transport.ts'
import { bad, good, warning, type Finding } from './finding.ts'

const DAY_MS = 86_400_000
/** A certificate that is renewed by a machine is renewed earlier than that. */
const SOON_DAYS = 14

export function checkCertificate(options: Options, now = Date.now()): Finding {
  const { tlsCert: cert, tlsKey: key, tlsClientCa: clientCa } = options
  if (options.tlsPort === 'off' && options.wssPort === 'off') return good('no certificate is needed, since TLS is off')
  try {
    if (cert !== '' || key !== '') return judgeCertificate(readCertificate({ cert, key, clientCa }).cert, cert, now)
    // It makes a certificate that nobody gets to see, and reads the file of the client certificates as a server does.
    developmentCertificate(null, clientCa)
    return developmentFinding(options)
  } catch (error) {
    if (error instanceof ListenError) return bad(error.message, error.fix)
    throw error
  }
}

function judgeCertificate(pem: string, path: string, now: number): Finding {
  const { validFrom, validTo } = new X509Certificate(pem)
  const days = Math.floor((Date.parse(validTo) - now) / DAY_MS)
  const fix = 'Renew it, and start the server again.'
  if (Date.parse(validFrom) > now)
    return bad(`The certificate in ${path} is not valid before ${validFrom}.`, 'Set the clock right, or wait.')
  if (days < 0) return bad(`The certificate in ${path} has expired on ${validTo}.`, fix)
  if (days < SOON_DAYS) return warning(`The certificate in ${path} expires in ${days} days.`, fix)
  return good(`the certificate in ${path} is of its key and valid for ${days} days`)
}

function developmentFinding({ store, dataDir }: Options): Finding {
  const path = developmentFile(dataDir)
  const where = store === 'memory' ? 'a new one at each start' : existsSync(path) ? path : `to be made as ${path}`
  return warning(
    `TLS runs on a development certificate (${where}), which proves nothing to anybody.`,
    'Set ACKD_TLS_CERT and ACKD_TLS_KEY, or ACKD_TLS_PORT to off.',
  )
}
