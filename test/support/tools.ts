/**
 * Finds the programs that the tests run beside Node, and installs what is missing where it can: with apt, as root. Else it says exactly
 * what to install. `npm test` begins with it, so nothing depends on what somebody installed by hand.
 */
import { spawnSync } from 'node:child_process'

interface Tool {
  readonly what: string
  /** Commands of which one must succeed. */
  readonly checks: readonly (readonly [command: string, ...args: string[]])[]
  /** The package of Debian and Ubuntu. */
  readonly from: string
  /** The variable that says where it is, when it is somewhere else. */
  readonly variable?: string
  /** Without it the tests are red; the others are skipped where their program is missing. */
  readonly required: boolean
}

const tools: readonly Tool[] = [
  {
    what: 'a redis-server',
    checks: [
      [process.env['REDIS_SERVER'] ?? 'redis-server', '--version'],
      ['redis-server', '--version'],
      ['valkey-server', '--version'],
    ],
    from: 'redis-server',
    variable: 'REDIS_SERVER',
    required: true,
  },
  {
    what: 'Chromium',
    checks: [[process.env['CHROMIUM'] ?? '/usr/bin/chromium', '--version']],
    from: 'chromium',
    variable: 'CHROMIUM',
    required: true,
  },
  { what: 'strace', checks: [['strace', '-V']], from: 'strace', required: false },
  { what: 'nc', checks: [['sh', '-c', 'command -v nc']], from: 'netcat-openbsd', required: false },
  { what: 'openssl', checks: [['openssl', 'version']], from: 'openssl', required: true },
  { what: 'curl', checks: [['curl', '--version']], from: 'curl', required: true },
  {
    what: 'MessagePack for Python',
    checks: [
      ['python3', '-c', 'import msgpack'],
      ['/usr/bin/python3', '-c', 'import msgpack'],
    ],
    from: 'python3-msgpack',
    required: false,
  },
]

function missing(): readonly Tool[] {
  return tools.filter(({ checks }) => !checks.some(([command, ...args]) => spawnSync(command, args).status === 0))
}

/** A service that a package brings along is not started: the tests start their own. */
function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  return spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return
  process.stdout.write(`installing ${packages.join(' ')} for the tests\n`)
  if (apt('update')) apt('install', '-y', '--no-install-recommends', ...packages)
}

const wanted = missing()
if (wanted.length > 0) install(wanted.map(({ from }) => from))
const left = wanted.length > 0 ? missing() : []
for (const { what, from, required, variable } of left) {
  const effect = required ? 'and the tests need it' : 'so its tests are skipped'
  const elsewhere = variable === undefined ? '' : `, or set ${variable} to where it is`
  process.stderr.write(`${what} is missing, ${effect}; install it with: apt-get install ${from}${elsewhere}\n`)
}
if (left.some(({ required }) => required)) process.exitCode = 1
