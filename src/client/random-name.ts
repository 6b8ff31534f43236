/** Names that nobody else has: of outboxes, of tabs, of messages. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 16 characters of `A-Za-z0-9_-`, of which 96 bits are random. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, byte => ALPHABET[byte & 63]).join('')
}
