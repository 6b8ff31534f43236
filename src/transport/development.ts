/**
 * A certificate for trying things out, which names localhost and its addresses and is signed by its own key.
 *
 * It is written here in DER, byte for byte (RFC 5280), since that is sixty lines for the one form that is needed; the packages that
 * write any form are two dozen, and take half a second to load at the first start of a server.
 */
import { Buffer } from 'node:buffer'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const YEARS = 10
const CLOCK_SLACK_MS = 86_400_000

const tag = { bits: 0x03, octets: 0x04, oid: 0x06, text: 0x0c, sequence: 0x30, set: 0x31 } as const
const dnsName = 0x82
const ipAddress = 0x87

/** Object identifiers, as their bytes. */
const oid = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuthentication: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
} as const

type Bytes = Uint8Array | readonly number[]

/** One value in DER: its tag, its length, its content. */
function der(type: number, ...content: readonly Bytes[]): Buffer {
  const inside = Buffer.concat(content.map(part => Buffer.from(part)))
  const { length } = inside
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([type, ...head]), inside])
}

const sequence = (...content: readonly Bytes[]): Buffer => der(tag.sequence, ...content)

function extension(id: Bytes, content: Buffer): Buffer {
  return sequence(der(tag.oid, id), der(tag.octets, content))
}

/** Two digits of the year until 2049 and four from then on, as it is prescribed. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\D/g, '').slice(0, 14)
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : der(0x18, Buffer.from(`${digits}Z`))
}

const algorithm = sequence(der(tag.oid, oid.ecdsaWithSha256))
const name = sequence(der(tag.set, sequence(der(tag.oid, oid.commonName), der(tag.text, Buffer.from('localhost')))))
const extensions = sequence(
  extension(oid.basicConstraints, sequence()),
  // One bit, digital signature; seven are unused.
  extension(oid.keyUsage, der(tag.bits, [7, 0x80])),
  extension(oid.extendedKeyUsage, sequence(der(tag.oid, oid.serverAuthentication))),
  extension(
    oid.subjectAltName,
    sequence(
      der(dnsName, Buffer.from('localhost')),
      der(ipAddress, [127, 0, 0, 1]),
      der(ipAddress, [...Array<number>(15).fill(0), 1]),
    ),
  ),
)

/** A new key and its certificate, as PEM, for ten years. */
export function makeDevelopmentCertificate(): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const from = new Date(Date.now() - CLOCK_SLACK_MS)
  const until = new Date(from)
  until.setUTCFullYear(until.getUTCFullYear() + YEARS)
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    // A positive number: the first byte below 0x80 and not zero.
    der(0x02, [1], randomBytes(15)),
    algorithm,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const signature = der(tag.bits, [0], sign('sha256', body, privateKey))
  return {
    cert: pem('CERTIFICATE', sequence(body, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines.trimEnd()}\n-----END ${label}-----\n`
}
