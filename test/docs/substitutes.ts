/**
 * Commands of the pages that are not run by a test, each with the reason, and what is tried of it instead: that everything it names is
 * there, as the program itself understands it.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { root } from '../support/sources.ts'
import type { Command } from './pages.ts'

interface Substitute {
  readonly commands: RegExp
  readonly because: string
  readonly tried: (found: RegExpExecArray) => void | Promise<void>
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

export const substitutes: readonly Substitute[] = [
  {
    commands: /^npm ci$/,
    because: 'it installs what this very test runs on; CI begins with it',
    tried: () => expect(readFileSync(join(root, '.ci/run'), 'utf8')).toMatch(/^npm ci$/m),
  },
  {
    commands: /^((?:FAULT_\w+=\d+ )*)npm run ([\w:]+)( -- .*)?$/,
    because: 'it takes minutes, or hours',
    tried: ([, variables = '', script = '', flags = '']) => {
      const body = scripts[script] ?? ''
      expect(body, `npm run ${script}`).not.toBe('')
      for (const [, name = ''] of variables.matchAll(/(\w+)=/g)) expect(body).toContain(`${name}=\${${name}:-`)
      const [, program = ''] = /tsx (\S+)/.exec(body) ?? []
      for (const [, flag = ''] of flags.matchAll(/--([a-z][\w-]*)/g))
        expect(readFileSync(join(root, program), 'utf8'), `--${flag}`).toMatch(new RegExp(`^ *'?${flag}'?: \\{`, 'm'))
    },
  },
  {
    commands: /^((?:FAULT_\w+=\d+ )*)(?:npm run build && )?npx vitest run( .*)$/,
    because: 'it is a part of the run that this test is a part of',
    tried: async ([, variables = '', words = '']) => {
      const files = await foundByVitest(words.trim().split(' '))
      expect(files, words).not.toEqual([])
      const texts = files.map(file => readFileSync(join(root, file), 'utf8'))
      for (const [, name = ''] of variables.matchAll(/(\w+)=/g))
        expect(
          texts.some(text => text.includes(`process.env['${name}']`)),
          name,
        ).toBe(true)
    },
  },
]

/** The test files that vitest itself would run for these words. */
async function foundByVitest(words: readonly string[]): Promise<string[]> {
  const args = ['node_modules/vitest/vitest.mjs', 'list', ...words, '--filesOnly', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  return (JSON.parse(stdout) as { file: string }[]).map(({ file }) => file.replace(root, ''))
}

/** Tries what can be tried of a command that is not run; false: it is one that is. */
export async function isSubstituted({ text }: Command): Promise<boolean> {
  const command = text.replace(/ +#.*$/, '')
  for (const { commands, tried } of substitutes) {
    const found = commands.exec(command)
    if (found === null) continue
    await tried(found)
    return true
  }
  return false
}
