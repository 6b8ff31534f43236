/** The list of hostile inputs in docs/security.md: each row names tests, and those are there. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
const [, list = ''] = page.split('## What becomes of what')
const rows = list
  .split('\n')
  .filter(line => line.startsWith('| ') && !line.startsWith('| what comes') && !line.startsWith('| ---'))
  .map(line => line.split(' | '))

it('has rows, each with a test at least', () => {
  expect(rows.length).toBeGreaterThan(20)
  expect(rows.filter(([, , shown = '']) => !shown.startsWith('`'))).toEqual([])
})

it.each(
  rows.flatMap(([what = '', , shown = '']) =>
    shown
      .replace(/ \|$/, '')
      .split('<br>')
      .map(test => [what.slice(2), test]),
  ),
)('%s: %s', (_, test) => {
  const [, path = '', name = ''] = /^`(.+?)`: (.+)$/.exec(test) ?? []
  const file = new URL(`../${path}`, import.meta.url)
  expect(path !== '' && existsSync(file)).toBe(true)
  expect(readFileSync(file, 'utf8')).toContain(name)
})
