import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, test } from 'vitest'
import { cannotListen, otherPorts, whyNot } from '../../src/transport/ports.ts'

test('are the usual ones, any free ones, those that were asked for, or off', () => {
  const asked = { port: 5000, wssPort: 'off', tcpPort: 'auto', tlsPort: 'auto' } as const
  expect(otherPorts(asked)).toEqual({ wss: null, tcp: 2500, tls: 2501 })
  expect(otherPorts({ ...asked, port: 0, wssPort: 0 })).toEqual({ wss: 0, tcp: 0, tls: 0 })
  expect(otherPorts({ ...asked, port: 0, wssPort: 7001, tcpPort: 7000, tlsPort: 'off' })).toEqual({
    wss: 7001,
    tcp: 7000,
    tls: null,
  })
})

describe('a port that cannot be listened on', () => {
  it.each([
    ['EADDRINUSE', 'Cannot listen on 127.0.0.1:80: the port is taken.', /or choose another ACKD_TCP_PORT .*or off/],
    ['EACCES', 'Cannot listen on 127.0.0.1:80: this user may not listen on that port.', /1024 or more/],
    ['ENOTFOUND', 'Cannot listen on 127.0.0.1:80: the host is no address of this machine.', /Correct ACKD_HOST/],
    ['', 'Cannot listen on 127.0.0.1:80: the port is taken, or the host is no address of this machine.', /ACKD_HOST/],
  ])('says why, and what to do, for %j', (code, message, fix) => {
    const error = cannotListen('127.0.0.1', 80, 'ACKD_TCP_PORT', code)
    expect([error.message, error.fix]).toEqual([message, expect.stringMatching(fix)])
  })

  it('is told from one that can be, and from a host that is none', async () => {
    const server = createServer()
    await once(server.listen({ host: '127.0.0.1', port: 0 }), 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await whyNot('127.0.0.1', port)).toBe('EADDRINUSE')
    expect(await whyNot('127.0.0.1', 0)).toBe('')
    expect(await whyNot('192.0.2.1', port)).toBe('EADDRNOTAVAIL')
    server.close()
  })
})
