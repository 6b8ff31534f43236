/** Links to conversations, and what people paste. */
import { expect, test } from 'vitest'
import { addressIn, hashOf, roomOf, targetIn } from '../../../src/web/page/route.ts'

test.each(['V1StGXR8_Z5jdHi6', 'alice@example.org', '#lobby', '#a.b:c-d_e'])(
  '%s is found again in its own link',
  target => {
    expect(targetIn(hashOf(target))).toBe(target)
  },
)

test('no conversation has the empty link', () => {
  expect(hashOf(null)).toBe('#')
  expect([targetIn('#'), targetIn(''), targetIn('#about')]).toEqual([null, null, null])
})

test.each([
  '#to=',
  '#to=a b',
  '#to=<script>',
  '#to=%23lobby',
  `#to=${'x'.repeat(65)}`,
  '#room=',
  '#room=a%20b',
  '#room=%3Cb%3E',
])('%s leads nowhere', hash => {
  expect(targetIn(hash)).toBeNull()
})

test('a room may be named with or without #, and with spaces around it', () => {
  expect([roomOf('tea'), roomOf(' #tea '), roomOf('tea time'), roomOf('')]).toEqual(['#tea', '#tea', null, null])
})

test('an address is found in what was pasted: bare, or in a link', () => {
  expect(addressIn(' V1StGXR8_Z5jdHi6\n')).toBe('V1StGXR8_Z5jdHi6')
  expect(addressIn('https://chat.example/#to=V1StGXR8_Z5jdHi6')).toBe('V1StGXR8_Z5jdHi6')
  expect([addressIn(''), addressIn('#lobby'), addressIn('https://chat.example/'), addressIn('two words')]).toEqual([
    null,
    null,
    null,
    null,
  ])
})
