/**
 * The fenced blocks of all pages, and what each kind of them is: which test runs it, or why none does.
 *
 * A block is found by its page and by words in it, never by its place, so pages can be rewritten freely. Who runs the blocks of a page takes
 * them out of a `Reading`, and at the end nothing may be left in it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/sources.ts'

export interface Block {
  readonly page: string
  /** Of the fence that opens it, from 1. */
  readonly line: number
  readonly language: string
  /** Without the fences, each line with its end. */
  readonly text: string
}

interface Kind {
  readonly what: string
  /** The test file that runs blocks of this kind, within `test/docs`; null: none does. */
  readonly by: string | null
}

/** The words behind the opening fences, and no others: what is written behind a fence says what becomes of the block. */
export const kinds: Readonly<Record<string, Kind>> = {
  sh: { what: 'commands, run one after the other in a shell', by: 'commands.slow.test.ts' },
  console: { what: 'commands with $ before them, and what they print', by: 'commands.slow.test.ts' },
  json: { what: 'what is answered or logged, or goes into a file', by: 'commands.slow.test.ts' },
  frames: { what: 'what goes over the wire: → from the client, ← from the server', by: 'commands.slow.test.ts' },
  ts: { what: 'programs, in Node or in a browser', by: 'programs.slow.test.ts' },
  tsx: { what: 'programs in a browser', by: 'programs.slow.test.ts' },
  html: { what: 'pages in a browser', by: 'programs.slow.test.ts' },
  text: { what: 'pictures and lists: there is nothing in them that could be run', by: null },
}

export const pages: readonly string[] = [
  ...markdownIn('.', false),
  ...['docs', 'examples', 'bench'].flatMap(folder => markdownIn(folder, true)),
]

function markdownIn(folder: string, recursive: boolean): string[] {
  const names = readdirSync(join(root, folder), { recursive, encoding: 'utf8' })
  return names
    .filter(name => name.endsWith('.md') && !name.includes('node_modules'))
    .map(name => join(folder, name))
    .sort()
}

export function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** All blocks of a text. A fence may be indented, or of tildes; one that nothing closes is an error. */
export function blocksIn(page: string, text: string): Block[] {
  const blocks: Block[] = []
  let open: { fence: string; line: number; language: string; lines: string[] } | null = null
  for (const [at, line] of text.split('\n').entries()) {
    const [, indent = '', fence = '', word = ''] = /^([ >]*)(`{3,}|~{3,}) *([^`]*)$/.exec(line) ?? []
    if (open !== null) {
      const closes = fence.startsWith(open.fence) && word === ''
      if (!closes) open.lines.push(`${line}\n`)
      else blocks.push({ page, line: open.line, language: open.language, text: open.lines.join('') })
      if (closes) open = null
    } else if (fence !== '') {
      if (indent !== '') throw new Error(`${page}:${at + 1}: a block within a list or a quote is not found by readers`)
      open = { fence, line: at + 1, language: word.trim(), lines: [] }
    }
  }
  if (open !== null) throw new Error(`${page}:${open.line}: nothing closes the block`)
  return blocks
}

export const blocks: readonly Block[] = pages.flatMap(page => blocksIn(page, textOf(page)))

/** The pages with blocks that a test file runs. */
export function pagesRunBy(file: string): string[] {
  const own = blocks.filter(({ language }) => kinds[language]?.by === file)
  return [...new Set(own.map(({ page }) => page))]
}

/** The blocks of a page that a test file runs, until it has taken them. */
export class Reading {
  readonly page: string
  readonly #scripts: Script[] = []
  #left: readonly Block[]

  constructor(page: string, file: string) {
    this.page = page
    this.#left = blocks.filter(block => block.page === page && kinds[block.language]?.by === file)
  }

  /** Takes the one block of this kind with these words in it. */
  take(language: string, about: string): string {
    const found = this.#left.filter(block => block.language === language && block.text.includes(about))
    const [block] = found
    if (block === undefined || found.length > 1)
      throw new Error(`${this.page} has ${found.length} blocks of ${language} that say ${about}, not one`)
    this.#left = this.#left.filter(other => other !== block)
    return block.text
  }

  /** Takes such a block for the commands in it, which are to be taken as well. */
  script(language: 'sh' | 'console', about: string): Script {
    const script = new Script(commandsIn(language, this.take(language, about)))
    this.#scripts.push(script)
    return script
  }

  /** Where those are that nobody has taken: blocks, and commands. */
  left(): string[] {
    const commands = this.#scripts.flatMap(script => script.rest().map(({ text }) => `${this.page}: ${text}`))
    return [...this.#left.map(({ page, line, language }) => `${page}:${line} (${language})`), ...commands]
  }
}

/** The commands of a block, in their order, each of which is taken once. */
export class Script {
  #commands: readonly Command[]

  constructor(commands: readonly Command[]) {
    this.#commands = commands
  }

  next(): Command {
    const [next, ...others] = this.#commands
    if (next === undefined) throw new Error('The block has no more commands.')
    this.#commands = others
    return next
  }

  /** All that are left. */
  rest(): readonly Command[] {
    const rest = this.#commands
    this.#commands = []
    return rest
  }
}

export interface Command {
  readonly text: string
  /** What stands behind the # at its end. */
  readonly note: string
  /** What the page shows beneath it, each line with its end. */
  readonly answer: string
}

/** The commands of a block: of `sh` each line that is not continued, of `console` each with a $ before it. */
export function commandsIn(language: 'sh' | 'console', text: string): Command[] {
  const commands: Command[] = []
  const lines = text.replaceAll('\\\n', '\\\u0000').split(/(?<=\n)/)
  for (const line of lines.map(whole => whole.replaceAll('\u0000', '\n'))) {
    const written = language === 'sh' ? line : line.startsWith('$ ') ? line.slice(2) : ''
    if (written.trim() !== '' && !written.startsWith('#')) {
      const [, note = ''] = /\s# *(.*)\n$/.exec(written) ?? []
      commands.push({ text: written.trimEnd(), note, answer: '' })
    } else if (language === 'console') {
      const last = commands.pop()
      if (last === undefined) throw new Error(`an answer before the first command: ${line}`)
      commands.push({ ...last, answer: last.answer + line })
    }
  }
  return commands
}
