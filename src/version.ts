/** Which version of ackd this is, as its package says; the same from the sources and once built. */
import { readFileSync } from 'node:fs'

export function readVersion(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof description === 'object' && description !== null && 'version' in description
    ? String(description.version)
    : 'unknown'
}
