/** What `npm test` says on a machine that lacks what the tests need. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from './support/sources.ts'

let machine: string

/** A program of that machine. */
function install(name: string, script: string): void {
  writeFileSync(join(machine, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(machine, name), 0o755)
}

/** All that the tests need but Chromium. */
function installOthers(): void {
  for (const name of ['redis-server', 'curl', 'openssl']) install(name, 'exit 0')
}

/** The first step of `npm test`, where there are no other programs than those. */
function run(): { status: number | null; said: string } {
  const env = { PATH: machine, CHROMIUM: join(machine, 'chromium') }
  const args = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'test/support/tools.ts')]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, cwd: root, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'ackd-machine-'))
})

afterEach(() => {
  rmSync(machine, { recursive: true })
})

test('where nothing can be installed, what to install is said, line by line, and the tests do not begin', () => {
  const { status, said } = run()
  expect(status).toBe(1)
  expect(said.split('\n')).toContain(
    'Chromium is missing, and the tests need it; install it with: apt-get install chromium, or set CHROMIUM to where it is',
  )
  expect(said).toContain('apt-get install redis-server, or set REDIS_SERVER to where it is')
  expect(said).toContain('strace is missing, so its tests are skipped; install it with: apt-get install strace')
})

test('where all that is needed is there, only what is skipped is said', () => {
  install('chromium', 'exit 0')
  installOthers()
  const { status, said } = run()
  expect([status, /the tests need it/.test(said)]).toEqual([0, false])
})

test.runIf(process.getuid?.() === 0)('root installs what is missing, by apt, and looks again', () => {
  const log = join(machine, 'log')
  installOthers()
  install(
    'apt-get',
    `echo "$@" >> ${log}\ncase "$*" in *install*) echo '#!/bin/sh' > ${machine}/chromium; /bin/chmod 755 ${machine}/chromium;; esac`,
  )
  const { status, said } = run()
  expect([status, said.includes('Chromium is missing')]).toEqual([0, false])
  expect(said).toMatch(/^installing chromium .*for the tests$/m)
  expect(readFileSync(log, 'utf8')).toMatch(/-qq update\n-qq install -y --no-install-recommends chromium/)
})

test.runIf(process.getuid?.() === 0)('what apt cannot install is said', () => {
  installOthers()
  install('apt-get', 'case "$*" in --version) exit 0;; *) exit 100;; esac')
  const { status, said } = run()
  expect([status, said.includes('Chromium is missing, and the tests need it')]).toEqual([1, true])
})
