import { expect, test } from 'vitest'
import { assert, InvariantError } from '../../src/core/assert.ts'

test('assert passes over what holds', () => {
  expect(() => assert(true, 'I1: it holds')).not.toThrow()
})

test('assert throws an InvariantError that names the invariant when it does not hold', () => {
  expect(() => assert(false, 'I1: it holds')).toThrow(InvariantError)
  expect(() => assert(false, 'I1: it holds')).toThrow('I1: it holds')
})
