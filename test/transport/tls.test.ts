import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { developmentCertificate, developmentFile, readCertificate } from '../../src/transport/certificates.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import { listenTls, type TlsOptions } from '../../src/transport/tls.ts'
import { ListenError, type Pipe, type RenewableListener } from '../../src/transport/transport.ts'

let folder = ''
let listener: RenewableListener | null = null
const pipes: Pipe[] = []
const troubles: string[] = []
const certificate = developmentCertificate(null, '')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ackd-tls-'))
})

afterEach(async () => {
  await listener?.close()
  listener = null
  rmSync(folder, { recursive: true })
  pipes.length = 0
  troubles.length = 0
})

async function listen(more: Partial<TlsOptions> = {}): Promise<{ host: string; port: number }> {
  const options = { host: '127.0.0.1', port: 0, maxPacket: 1_000, maxBuffered: 1_000_000, maxUnread: 1_000_000 }
  const onTrouble = ({ message }: Error): void => void troubles.push(message)
  listener = await listenTls({ ...options, certificate, onTrouble, ...more }, pipe => {
    pipes.push(pipe)
    return { packet: () => {}, broken: () => {}, closed: () => {} }
  })
  return { host: '127.0.0.1', port: Number(new URL(listener.url).port) }
}

/** Connects and waits for the end of the handshake. */
function shake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(options, () => resolve(socket))
    socket.on('error', reject)
  })
}

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; !done(); waited += 5) {
    if (waited > 5_000) throw new Error('it did not come')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

describe('TLS', () => {
  it('is trusted by who trusts the development certificate, by any of its names', async () => {
    const place = await listen()
    for (const servername of ['localhost', '']) {
      const socket = await shake({ ...place, ca: certificate.cert, servername })
      expect([socket.authorized, socket.getProtocol()]).toEqual([true, 'TLSv1.3'])
      socket.destroy()
    }
  })

  it('does not speak what is older than TLS 1.2', async () => {
    const place = await listen()
    const old: ConnectionOptions = {
      ...place,
      ca: certificate.cert,
      ciphers: 'DEFAULT@SECLEVEL=0',
      minVersion: 'TLSv1',
    }
    await expect(shake({ ...old, maxVersion: 'TLSv1.1' })).rejects.toThrow()
    const socket = await shake({ ...old, maxVersion: 'TLSv1.2' })
    expect(socket.getProtocol()).toBe('TLSv1.2')
    socket.destroy()
  })

  it('ends a handshake that takes too long, or that is none', async () => {
    const place = await listen({ handshakeMs: 300 })
    const silent = connect(place)
    const confused = connect(place)
    confused.write('GET / HTTP/1.1\r\n\r\n')
    const ended = [silent, confused].map(
      socket =>
        new Promise(resolve =>
          socket
            .on('error', () => {})
            .resume()
            .once('close', resolve),
        ),
    )
    await Promise.all(ended)
    expect(pipes).toEqual([])
    expect(troubles).toHaveLength(2)
    await shake({ ...place, ca: certificate.cert }).then(socket => socket.destroy())
  })

  it('shows another certificate to connections to come, and keeps those it has', async () => {
    const place = await listen()
    const before = await shake({ ...place, ca: certificate.cert })
    const renewed = developmentCertificate(null, '')
    listener?.renew(renewed)
    await shake({ ...place, ca: renewed.cert }).then(socket => socket.destroy())
    await expect(shake({ ...place, ca: certificate.cert })).rejects.toThrow('self-signed')
    expect(before.destroyed).toBe(false)
    before.destroy()
  })

  it('takes the common name of a client certificate as its id, and nobody without one', async () => {
    const { ca, cert, key } = clientCertificate('/CN=device-7')
    const place = await listen({ certificate: { ...certificate, ca } })
    const known = await shake({ ...place, ca: certificate.cert, cert, key })
    await until(() => pipes.length === 1)
    expect(pipes[0]?.provenId).toBe('device-7')
    known.destroy()
    const stranger = connectTls({ ...place, ca: certificate.cert })
    await new Promise(resolve => stranger.on('error', () => {}).once('close', resolve))
    expect(pipes).toHaveLength(1)
  })

  it('knows the client certificate of a session that is resumed', async () => {
    const { ca, cert, key } = clientCertificate('/CN=device-7')
    const place = { ...(await listen({ certificate: { ...certificate, ca } })), ca: certificate.cert, cert, key }
    const first = await shake(place)
    const session = await new Promise<Buffer>(resolve => first.once('session', resolve))
    const again = await shake({ ...place, session })
    expect(again.isSessionReused()).toBe(true)
    await until(() => pipes.length === 2)
    expect(pipes[1]?.provenId).toBe('device-7')
    first.destroy()
    again.destroy()
  })
})

describe('a client certificate', () => {
  it.each([
    ['without a name', '/O=nobody', ''],
    ['with no subject at all', '/', ''],
    ['with two names', '/CN=one/CN=two', ''],
  ])('%s proves no id, and does no harm', async (_, subject, id) => {
    const { ca, cert, key } = clientCertificate(subject)
    const place = await listen({ certificate: { ...certificate, ca } })
    const socket = await shake({ ...place, ca: certificate.cert, cert, key })
    await until(() => pipes.length === 1)
    expect(pipes[0]?.provenId).toBe(id)
    socket.destroy()
  })
})

describe('certificates', () => {
  it('are made once for a folder, with a key that nobody else can read', () => {
    const first = developmentCertificate(folder, '')
    expect(developmentCertificate(folder, '')).toEqual(first)
    expect(readFileSync(developmentFile(folder), 'utf8')).toBe(first.cert)
    expect(statSync(join(folder, 'tls-development.key')).mode & 0o077).toBe(0)
  })

  it('are made anew when what is kept is of no use', () => {
    const first = developmentCertificate(folder, '')
    writeFileSync(developmentFile(folder), makeDevelopmentCertificate().cert)
    const second = developmentCertificate(folder, '')
    expect(second.cert).not.toBe(first.cert)
    expect(developmentCertificate(folder, '')).toEqual(second)
  })

  it('are read from files', () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    writeFileSync(cert, certificate.cert)
    writeFileSync(key, certificate.key)
    expect(readCertificate({ cert, key, clientCa: '' })).toEqual(certificate)
    expect(readCertificate({ cert, key, clientCa: cert })).toEqual({ ...certificate, ca: certificate.cert })
  })

  it('are refused, with what to do, when they are missing, alone or not of one pair', () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    writeFileSync(cert, certificate.cert)
    expect(() => readCertificate({ cert, key, clientCa: '' })).toThrow(ListenError)
    expect(() => readCertificate({ cert, key: '', clientCa: '' })).toThrow('ACKD_TLS_CERT without ACKD_TLS_KEY')
    expect(() => readCertificate({ cert: '', key, clientCa: '' })).toThrow('ACKD_TLS_KEY without ACKD_TLS_CERT')
    writeFileSync(key, makeDevelopmentCertificate().key)
    expect(() => readCertificate({ cert, key, clientCa: '' })).toThrow('cannot be used')
  })
})

/** An authority, and a certificate of its own for a client of this subject. */
function clientCertificate(subject: string): { ca: string; cert: string; key: string } {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=authority', '-days', '2')
  openssl('req', ...fresh, '-keyout', 'client.key', '-out', 'client.csr', '-subj', subject)
  openssl('x509', '-req', '-in', 'client.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-out', 'client.crt', '-days', '2')
  const [ca = '', cert = '', key = ''] = ['ca.crt', 'client.crt', 'client.key'].map(file =>
    readFileSync(join(folder, file), 'utf8'),
  )
  return { ca, cert, key }
}
