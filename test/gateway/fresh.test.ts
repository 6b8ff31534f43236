import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { makeId, makeSecret, sha256 } from '../../src/gateway/fresh.ts'
import { isAssignedId } from '../../src/protocol/names.ts'

it('makes ids that no command line takes for an option', () => {
  const ids = Array.from({ length: 2_000 }, makeId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(isAssignedId(id) && id.length === 16 && !id.startsWith('-')).toBe(true)
})

it('makes ids that begin alike, some dozens in a row, and have nothing else in common', () => {
  const ids = Array.from({ length: 6_400 }, makeId)
  expect(new Set(ids.map(id => id.slice(0, 4))).size).toBeGreaterThan(90)
  expect(new Set(ids.map(id => id.slice(0, 4))).size).toBeLessThanOrEqual(101)
  expect(new Set(ids.map(id => id.slice(4))).size).toBe(ids.length)
})

it('makes secrets of 256 bits, none of them twice', () => {
  const secrets = Array.from({ length: 2_000 }, makeSecret)
  expect(new Set(secrets).size).toBe(secrets.length)
  for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/)
  // A pool that was not filled, or not all of it, would show here.
  expect(secrets).not.toContain(Buffer.alloc(32).toString('base64url'))
})

it('keeps the SHA-256 of a secret', () => {
  const secret = makeSecret()
  expect(Buffer.from(sha256(secret))).toEqual(createHash('sha256').update(secret).digest())
})
