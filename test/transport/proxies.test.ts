import { describe, expect, it } from 'vitest'
import { TrustedProxies } from '../../src/transport/proxies.ts'

describe('the address of a client', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8:5::/48', '::1'])

  it.each<[string, string, string, string]>([
    ['the peer, when nothing is said', '10.0.0.1', '', '10.0.0.1'],
    ['the peer, when that is no proxy, whatever it says', '198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['what a proxy says', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    [
      'the last that is no proxy, where there are several',
      '10.0.0.1',
      '203.0.113.9, 192.0.2.1,10.9.9.9',
      '203.0.113.9',
    ],
    ['not what the client forged', '10.0.0.1', '8.8.8.8, 127.0.0.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['not a proxy that the client forged to be behind', '10.0.0.1', '8.8.8.8, 10.0.0.7, 203.0.113.9', '203.0.113.9'],
    ['the first, where all are proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['of IPv6', '2001:db8:5::9', '2001:db8:77::1', '2001:db8:77::1'],
    ['of IPv6, in brackets with a port', '::1', '[2001:db8:77::1]:4711', '2001:db8:77::1'],
    ['without its port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['of IPv4, in the clothes of IPv6', '10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['the proxy, where that says no address', '10.0.0.1', '203.0.113.9, unknown', '10.0.0.1'],
    ['the proxy, where that says nothing', '10.0.0.1', '203.0.113.9, ', '10.0.0.1'],
    [
      'the proxy, where that says one that means something on its own machine only',
      '10.0.0.1',
      'fe80::1%eth0',
      '10.0.0.1',
    ],
    ['the proxy before it, where that one says no address', '10.0.0.1', '<script>, 10.0.0.2', '10.0.0.2'],
  ])('is %s', (_, peer, forwarded, client) => {
    expect(proxies.clientOf(peer, forwarded)).toBe(client)
  })

  it('is that of the peer where no proxy is trusted', () => {
    expect(new TrustedProxies().clientOf('127.0.0.1', '203.0.113.9')).toBe('127.0.0.1')
  })

  it('follows those that are trusted now', () => {
    const changing = new TrustedProxies(['10.0.0.1'])
    changing.trust(['10.0.0.2'])
    expect(changing.clientOf('10.0.0.1', '203.0.113.9')).toBe('10.0.0.1')
    expect(changing.clientOf('10.0.0.2', '203.0.113.9')).toBe('203.0.113.9')
  })
})
