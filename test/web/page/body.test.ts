/** What the page makes of what others send. */
import { describe, expect, test } from 'vitest'
import { MAX_NAME, MAX_TEXT, readBody, readName, readTyping } from '../../../src/web/page/body.ts'

describe('a body', () => {
  test('of this page is read as it was written', () => {
    const body = { text: 'hello', name: 'Ann', key: 'k1' }
    expect(readBody(body)).toEqual(body)
  })

  test('of another program is a text, or says what it is', () => {
    expect(readBody('hello')).toEqual({ text: 'hello', name: '', key: '' })
    expect(readBody({ text: 'hi', more: 1 })).toMatchObject({ text: 'hi', name: '' })
    expect(readBody({ temperature: 21 }).text).toBe('(not a text: {"temperature":21})')
    expect(readBody(2n ** 60n).text).toContain('1152921504606846976')
    expect(readBody(undefined).text).toBe('(not a text: nothing)')
    expect(readBody(null).text).toBe('(not a text: null)')
  })

  test('that is too long is cut', () => {
    expect(readBody('x'.repeat(MAX_TEXT + 1)).text).toBe(`${'x'.repeat(MAX_TEXT)}…`)
    expect(readBody({ text: 'x'.repeat(1_000_000) }).text).toHaveLength(MAX_TEXT + 1)
    expect(readBody(Array.from({ length: 10_000 }, () => 'x')).text.length).toBeLessThan(300)
  })

  test('whose fields are something else is not believed', () => {
    expect(readBody({ text: 'a', name: 7, key: {} })).toEqual({ text: 'a', name: '', key: '' })
    expect(readBody({ text: 7 }).text).toContain('not a text')
  })
})

describe('a name', () => {
  test('is one line of a bounded length, in whole characters', () => {
    expect(readName('  Ann \n\t Lee ')).toBe('Ann Lee')
    expect(readName('👩‍🚀'.repeat(2_000)).length).toBeLessThan(MAX_NAME * 2 + 1)
    expect(readName('x'.repeat(4_096))).toHaveLength(MAX_NAME)
  })

  test('changes no direction of the text around it', () => {
    expect(readName('Ann\u202eeilA')).toBe('Ann eilA')
    expect([readName('\u2066\u200f'), readName('\u200b\u200d')]).toEqual(['', ''])
    expect(readName('👩\u200d🚀')).toBe('👩\u200d🚀')
    expect(readName('عائشة')).toBe('عائشة')
  })

  test('that is none is nothing', () => {
    expect([readName(undefined), readName(null), readName({}), readName('')]).toEqual(['', '', '', ''])
  })
})

test('a signal of typing is told from other signals', () => {
  expect([readTyping({ typing: true }), readTyping({ typing: false })]).toEqual([true, false])
  expect([readTyping({ cursor: 1 }), readTyping(null), readTyping('typing')]).toEqual([null, null, null])
})
