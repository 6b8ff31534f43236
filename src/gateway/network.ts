/**
 * The network that an address stands for when limits are counted: an IPv4 address by itself, an IPv6 one by its first 64 bits, since
 * whoever has one of those has all of them.
 */
import { isIPv6 } from 'node:net'

const GROUPS = 4

export function networkOf(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = head === '' ? [] : head.split(':')
  // Where `::` stands within the first 64 bits, it stands for zeroes there, unless what follows it reaches in.
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    const missing = 8 - groups.length - after.length - (address.includes('.') ? 1 : 0)
    groups.push(...Array<string>(Math.max(0, missing)).fill('0'), ...after)
  }
  return `${groups
    .slice(0, GROUPS)
    .map(group => parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
