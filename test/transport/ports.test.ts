import { expect, test } from 'vitest'
import { streamPorts } from '../../src/transport/ports.ts'

test('are the usual ones, any free ones, those that were asked for, or off', () => {
  expect(streamPorts({ port: 5000, tcpPort: 'auto', tlsPort: 'auto' })).toEqual({ tcp: 2500, tls: 2501 })
  expect(streamPorts({ port: 0, tcpPort: 'auto', tlsPort: 'auto' })).toEqual({ tcp: 0, tls: 0 })
  expect(streamPorts({ port: 0, tcpPort: 7000, tlsPort: 'off' })).toEqual({ tcp: 7000, tls: null })
})
