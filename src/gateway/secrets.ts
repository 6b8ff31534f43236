/**
 * The secrets that tokens are signed with, from the option: the secret itself, or a file that holds one in each line.
 *
 * In a file the first signs and each may have signed, so that a secret is changed without anybody noticing: put the new one first, and
 * take the old one away when its last token has expired. The file is read anew at SIGHUP.
 */
import { readFileSync } from 'node:fs'

/** Bytes of a secret: as many as HS256 makes of it (RFC 7518, 3.2). */
export const MIN_SECRET = 32
const MAX_SECRETS = 4
const FILE = 'file:'

/** The secrets; none for ''. Throws with a sentence that says what is wrong, and never with what is in the file. */
export function readSecrets(option: string): readonly string[] {
  if (!option.startsWith(FILE)) return option === '' ? [] : [option]
  const path = option.slice(FILE.length)
  const secrets = readFileSync(path, 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  if (secrets.length === 0)
    throw new Error(`There is no secret in ${path}; put one into it, such as \`openssl rand -hex 32\` makes.`)
  if (secrets.length > MAX_SECRETS)
    throw new Error(`There are more than ${MAX_SECRETS} secrets in ${path}; take the oldest away.`)
  if (secrets.some(secret => Buffer.byteLength(secret) < MIN_SECRET))
    throw new Error(`A secret in ${path} is shorter than ${MIN_SECRET} bytes; make one with \`openssl rand -hex 32\`.`)
  return secrets
}
