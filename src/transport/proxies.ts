/**
 * Where a request came from when there are proxies in front of this server: they say it in `X-Forwarded-For`, to which each adds at the end
 * the address that spoke to it.
 *
 * So the header is read from its end. As long as an address is one of a proxy that is trusted, what that one has written is believed,
 * and the next address to the left is looked at; the first that is none of them is the client. What stands before it was said by the client
 * itself, and is not looked at: whoever forges the header only adds to what is passed over.
 */
import { BlockList, isIP, isIPv6 } from 'node:net'

/** Characters of the header that are looked at, from its end: more proxies in a row than anybody has. */
const MOST_SAID = 1_024

export class TrustedProxies {
  #networks = new BlockList()
  #trusting = false

  /** Addresses and networks such as `10.0.0.0/8`. */
  constructor(networks: readonly string[] = []) {
    this.trust(networks)
  }

  /** Takes others in their place, for requests to come. */
  trust(networks: readonly string[]): void {
    this.#networks = new BlockList()
    this.#trusting = networks.length > 0
    for (const network of networks) {
      const [address = '', bits] = network.split('/')
      const family = isIPv6(address) ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.#networks.addAddress(address, family)
      else this.#networks.addSubnet(address, Number(bits), family)
    }
  }

  /** Whether there are any whom to believe. */
  get areTrusted(): boolean {
    return this.#trusting
  }

  /** The address of the client, by that of the peer and what `X-Forwarded-For` says, '' for nothing. */
  clientOf(peer: string, forwarded: string): string {
    if (!this.#trusting || forwarded === '') return peer
    let client = peer
    const said = forwarded.slice(-MOST_SAID).split(',')
    while (said.length > 0 && this.#trusts(client)) {
      const before = addressIn(said.pop() ?? '')
      // A proxy that is trusted has written something else than an address, so nobody knows who is behind it.
      if (before === null) break
      client = before
    }
    return client
  }

  #trusts(address: string): boolean {
    return this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  }
}

/** The address in one entry of the header, where some proxies write a port, too. */
function addressIn(entry: string): string | null {
  const text = entry.trim()
  const bare = /^\[([^\]]*)\](:\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  // An IPv4 address in the clothes of IPv6 is the same.
  const address = bare.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(address) === 0 || address.includes('%') ? null : address
}
