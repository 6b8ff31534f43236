/** Every story of this folder is told again, and has to come out as it is written. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { retell } from './runner.ts'

const folder = new URL('./', import.meta.url)
const stories = readdirSync(folder).filter(name => name.endsWith('.txt'))
const rewrite = process.env['SCENARIO_REWRITE'] === '1'

describe('stories', () => {
  test.each(stories)('%s', name => {
    const file = new URL(name, folder)
    const written = readFileSync(file, 'utf8')
    const told = retell(written)
    if (rewrite) writeFileSync(file, told)
    else expect(told).toBe(written)
  })
})

describe('the runner', () => {
  test('tells what a story leaves out', () => {
    expect(retell('Bob connects')).toBe('Bob connects\n> Bob is welcomed as a new client')
  })

  test('tells that what a story expects did not happen', () => {
    expect(retell('Bob connects\n> Bob is welcomed as a new client\n> Bob receives m1 from Alice')).not.toContain('m1')
  })

  test('names the line that it does not understand', () => {
    expect(() => retell('Bob connects\nBob dances')).toThrow('line 2, "Bob dances"')
  })

  test('takes limits only before the first connection', () => {
    expect(() => retell('Bob connects\nGiven a window of 2 messages')).toThrow('before anything happens')
  })

  test('refuses to act for somebody who is not connected', () => {
    expect(() => retell('Bob connects\nBob leaves\nBob leaves')).toThrow('Bob is not connected')
  })
})
