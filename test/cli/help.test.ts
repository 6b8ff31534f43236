/** What `--help` says of every command, found by reading it as a person would: from the first page on, one command after the other. */
import { expect, it } from 'vitest'
import { run } from '../../src/cli/program.ts'
import { Terminal, type Output } from '../../src/cli/terminal.ts'

class Page implements Output {
  text = ''

  write(text: string | Uint8Array): boolean {
    this.text += String(text)
    return true
  }
}

async function help(command: readonly string[]): Promise<string> {
  const page = new Page()
  expect(await run([...command, '--help'], new Terminal(page, page, {}), {})).toBe(0)
  return page.text
}

/** The commands that a page lists, but for `help` itself. */
function listed(page: string): readonly string[] {
  const list = /\nCommands:\n([^]*?)\n\n/.exec(`${page}\n\n`)?.[1] ?? ''
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].flatMap(([, name = '']) => (name === 'help' ? [] : [name]))
}

async function* pages(command: readonly string[]): AsyncGenerator<readonly [command: string, page: string]> {
  const page = await help(command)
  yield [command.join(' '), page]
  for (const name of listed(page)) yield* pages([...command, name])
}

it('is that of a command of a command, too, and is not that of one that is none', async () => {
  const [page, errors] = [new Page(), new Page()]
  expect(await run(['help', 'mailbox', 'ls'], new Terminal(page, errors, {}), {})).toBe(0)
  expect(page.text).toContain('Usage: ackd mailbox ls')
  expect(await run(['help', 'sned'], new Terminal(page, errors, {}), {})).toBe(2)
  expect(errors.text).toContain("unknown command 'sned'")
})

it('has an example of each command, on its own page', async () => {
  const without: string[] = []
  let count = 0
  for await (const [command, page] of pages([])) {
    count++
    const shown = /\nExamples:\n([^]*)$/.exec(page)?.[1] ?? ''
    if (!shown.includes(`ackd ${command}`.trimEnd())) without.push(command)
  }
  expect(without).toEqual([])
  expect(count).toBeGreaterThan(35)
})
