import { expect, test } from 'vitest'
import { otherPorts } from '../../src/transport/ports.ts'

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
