/** That no snippet of a page is left out of the tests, and that what pages name in passing is there. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { run } from '../../src/cli/program.ts'
import { Terminal } from '../../src/cli/terminal.ts'
import { root } from '../support/sources.ts'
import { match } from './likeness.ts'
import { blocks, blocksIn, commandsIn, kinds, pages, pagesRunBy, Reading, textOf } from './pages.ts'

/** What `ackd … --help` prints. */
async function help(...words: string[]): Promise<string> {
  const printed: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(text => printed.push(String(text)) > 0)
  try {
    const terminal = new Terminal(process.stdout, process.stderr, {})
    expect(await run([...words, '--help'], terminal, {}), words.join(' ')).toBe(0)
  } finally {
    write.mockRestore()
  }
  return printed.join('')
}

async function commandsOf(...words: string[]): Promise<string[]> {
  const [, after = ''] = (await help(...words)).split('\nCommands:\n')
  const [list = ''] = after.split('\n\n')
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter(name => name !== 'help')
}

/** What stands between backticks within the sentences of the pages. */
const inline = pages.flatMap(page => {
  const prose = blocksIn(page, textOf(page)).reduce((text, block) => text.replace(block.text, ''), textOf(page))
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => ({ page, code }))
})

describe('the blocks of the pages', () => {
  test('are found on every page that is read', () => {
    for (const page of ['README.md', 'CHANGELOG.md', 'docs/cli.md', 'docs/decisions/rooms.md', 'examples/README.md'])
      expect(pages).toContain(page)
    const fences = pages.map(page => textOf(page).match(/^ *(```|~~~)/gm)?.length ?? 0)
    expect(2 * blocks.length).toBe(fences.reduce((sum, count) => sum + count, 0))
  })

  test('are each of a kind that is run, or that says why it is not', () => {
    const strangers = blocks.filter(({ language }) => kinds[language] === undefined)
    expect(strangers.map(({ page, line, language }) => `${page}:${line} (${language})`)).toEqual([])
  })

  test('are run by test files that are there, each of which has something to run', () => {
    const files = new Set(Object.values(kinds).flatMap(({ by }) => (by === null ? [] : [by])))
    for (const file of files) {
      expect(existsSync(join(root, 'test/docs', file)), file).toBe(true)
      expect(pagesRunBy(file)).not.toEqual([])
    }
  })

  test('that are pictures hold nothing that one would type, but for the list of commands', () => {
    const typed = blocks.filter(
      ({ language, text }) => language === 'text' && /^(\$ |ackd |npm |npx |curl )/m.test(text),
    )
    expect(typed.map(({ page }) => page)).toEqual(['docs/cli.md'])
  })

  test('list the commands that there are', async () => {
    const [list = ''] = blocks
      .filter(({ page, language }) => page === 'docs/cli.md' && language === 'text')
      .map(({ text }) => text)
    const lines = [...list.matchAll(/^ackd (.*?) {2,}/gm)].flatMap(([, words = '']) =>
      words.split(' | ').map(part => part.split(' ')),
    )
    const top = await commandsOf()
    let group = ''
    const named = new Set<string>()
    for (const [first = '', second = ''] of lines) {
      if (top.includes(first)) named.add((group = first))
      const sub = top.includes(first) ? second : first
      const isCommand = /^[a-z]+$/.test(sub)
      if (isCommand) expect(await commandsOf(group), `${group} ${sub}`).toContain(sub)
    }
    expect([...named].sort()).toEqual([...top].sort())
  })
})

describe('what is named in passing', () => {
  test('are commands of ackd that there are, with the flags that they have', async () => {
    for (const { page, code } of inline) {
      const [program, ...words] = code.split(' ')
      const [first = ''] = words
      if (program !== 'ackd' || !/^[a-z]+$/.test(first)) continue
      const group = await commandsOf(first).catch(() => [])
      const [, second = ''] = words
      const command = group.length > 0 && /^[a-z]+$/.test(second) ? [first, second] : [first]
      if (command.length === 2) expect(group, `${page}: ${code}`).toContain(second)
      const text = await help(...command)
      for (const flag of words.filter(word => word.startsWith('--'))) expect(text, `${page}: ${code}`).toContain(flag)
    }
  })

  test('are scripts of npm that there are, and files that can be run', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const missing = inline.filter(({ code }) => {
      const [, script] = /^npm run ([\w:]+)/.exec(code) ?? []
      const [, file] = /^(?:npx tsx|node .*--import tsx) (\S+)/.exec(code) ?? []
      return (
        (script !== undefined && scripts[script] === undefined) || (file !== undefined && !existsSync(join(root, file)))
      )
    })
    expect(missing).toEqual([])
  })
})

describe('a page', () => {
  const fence = '```'

  test('is cut into its blocks, of backticks or tildes, and what stands within one opens none', () => {
    const text = `a\n${fence}sh\nls\n${fence}\n\n~~~~text\n${fence}\n~~~~\n`
    expect(blocksIn('x.md', text)).toEqual([
      { page: 'x.md', line: 2, language: 'sh', text: 'ls\n' },
      { page: 'x.md', line: 6, language: 'text', text: `${fence}\n` },
    ])
  })

  test('that leaves a block open, or hides one in a list, is refused', () => {
    expect(() => blocksIn('x.md', `${fence}sh\nls\n`)).toThrow('x.md:1: nothing closes the block')
    expect(() => blocksIn('x.md', `- a\n  ${fence}sh\n  ls\n  ${fence}\n`)).toThrow('x.md:2')
  })

  test('has commands, over several lines too, with what is said of them', () => {
    expect(commandsIn('sh', 'a 1   # what it prints\n\n# a remark\nb \\\n  2\n')).toEqual([
      { text: 'a 1   # what it prints', note: 'what it prints', answer: '' },
      { text: 'b \\\n  2', note: '', answer: '' },
    ])
    expect(commandsIn('console', '$ a\nx\n  y\n$ b\n')).toEqual([
      { text: 'a', note: '', answer: 'x\n  y\n' },
      { text: 'b', note: '', answer: '' },
    ])
  })

  test('tells what was not taken from it: a block, and a command of one that was', () => {
    const page = new Reading('examples/README.md', 'commands.slow.test.ts')
    expect(page.left()).toHaveLength(1)
    page.script('sh', 'hello.ts')
    expect(page.left()).toEqual(['examples/README.md: npx tsx examples/hello.ts'])
    expect(() => page.take('sh', 'hello.ts')).toThrow('has 0 blocks of sh')
  })
})

describe('what came is like what is shown', () => {
  const like = (shown: string, came: string): boolean => match(shown, came, new Map()) !== null

  test.each([
    ['✓ delivered → bob  1.8 ms\n', '✓ delivered → bob  117 ms\n'],
    ['id    waiting  bytes\n', 'id                waiting  bytes\n'],
    ['{"time":1790000000000,"pid":4242}', '{"time":1795734790506,"pid":7}'],
    ['2026-09-21T14:13:20.000Z  taken', '2026-11-26T23:25:39.043Z  taken'],
    ['a\n…\nb\n', 'a\n1\n2\nb\n'],
    ['{"a":1,…}', '{"a":1,"b":2}'],
    ['V1StGXR8_Z5jdHi6 and V1StGXR8_Z5jdHi6', 'gcpAK8zW8WzzwYTk and gcpAK8zW8WzzwYTk'],
  ])('when only what varies is different: %j', (shown, came) => {
    expect(like(shown, came)).toBe(true)
  })

  test.each([
    ['✓ delivered → bob  1.8 ms\n', '● stored → bob  1.8 ms\n'],
    ['{"n":1}', '{"n":2}'],
    ['{"n":1}', '{"n":1,"m":2}'],
    ['{"a":1,…}', '{"a":2,"b":2}'],
    ['127.0.0.1:5000', '127.0.0.1:5001'],
    ['V1StGXR8_Z5jdHi6 and V1StGXR8_Z5jdHi6', 'gcpAK8zW8WzzwYTk and MBpY8bwLXrxBecsY'],
    ['V1StGXR8_Z5jdHi6', 'short'],
    ['a.b', 'axb'],
  ])('and not when something else is: %j', (shown, came) => {
    expect(like(shown, came)).toBe(false)
  })

  test('as long as a name stands for the same thing', () => {
    const names = new Map<string, string>()
    expect(match('id V1StGXR8_Z5jdHi6', 'id gcpAK8zW8WzzwYTk', names)).not.toBeNull()
    expect(match('to V1StGXR8_Z5jdHi6', 'to gcpAK8zW8WzzwYTk', names)).not.toBeNull()
    expect(match('to V1StGXR8_Z5jdHi6', 'to MBpY8bwLXrxBecsY', names)).toBeNull()
  })
})
