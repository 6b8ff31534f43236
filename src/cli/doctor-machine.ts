/**
 * What a server needs of the machine and of Node: a version that is supported, a C library that its binaries can use, open files.
 *
 * What is asked of the system is read in one place from Node's own report; the checks judge what they are given.
 */
import { bad, good, warning, type Finding } from './finding.ts'

/** Each connection takes an open file, and the store and the listeners take some more. */
const ENOUGH_FILES = 10_000

/** The glibc that the WebSocket binaries were built with, by the first version of Node that they are for, newest first. */
const glibcOf: readonly (readonly [node: number, glibc: string])[] = [
  [22, '2.38'],
  [20, '2.27'],
]

const GLIBC_FIX = 'Use Debian 13, Ubuntu 24.04 or newer, or with an older glibc Node 20.'

export interface Machine {
  readonly platform: string
  /** Null where the C library is another one. */
  readonly glibc: string | null
  /** The soft limit of this process; null where there is none. */
  readonly openFiles: number | null
}

export function readMachine(): Machine {
  const report: unknown = process.report.getReport()
  const glibc = fieldOf(fieldOf(report, 'header'), 'glibcVersionRuntime')
  const soft = fieldOf(fieldOf(fieldOf(report, 'userLimits'), 'open_files'), 'soft')
  return {
    platform: process.platform,
    glibc: typeof glibc === 'string' ? glibc : null,
    openFiles: typeof soft === 'number' ? soft : null,
  }
}

/** `engines` is the range in the description of the package, such as `>=20.15`. */
export function checkNode(version: string, engines: string): Finding {
  if (!isBelow(version, engines.replace('>=', ''))) return good(`Node ${version} (${engines} is needed)`)
  return bad(`Node ${version} is too old: ${engines} is needed.`, 'Install the current LTS version of Node.')
}

export function checkGlibc({ platform, glibc }: Machine, nodeVersion: string): Finding {
  if (platform !== 'linux') return good(`no glibc is needed on ${platform}`)
  const node = parseInt(nodeVersion)
  const needed = glibcOf.find(([least]) => node >= least)?.[1] ?? '2.27'
  const need = `the WebSocket binary for Node ${node} needs ${needed}`
  if (glibc === null) return bad(`The C library of this system is not glibc; ${need}.`, GLIBC_FIX)
  return isBelow(glibc, needed)
    ? bad(`glibc ${glibc} is too old: ${need}.`, GLIBC_FIX)
    : good(`glibc ${glibc} (${need})`)
}

/** Loads the WebSocket server, which is a binary for this very version of Node. */
export async function checkBinary(): Promise<Finding> {
  try {
    await import('../transport/websocket.ts')
    return good('the WebSocket binary loads')
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    return bad(
      // Its own words end with those of the loader, which say what is missing.
      `The WebSocket binary does not load: ${said.split('\n').at(-1) ?? ''}`,
      'Use Node 20, 22, 24 or 25 with the glibc named above, and install the package anew on this very machine.',
    )
  }
}

export function checkOpenFiles({ openFiles }: Machine): Finding {
  if (openFiles === null) return good('there is no limit of open files')
  if (openFiles >= ENOUGH_FILES) return good(`${openFiles.toLocaleString('en')} open files are allowed`)
  return warning(
    `Only ${openFiles.toLocaleString('en')} open files are allowed, and each connection is one.`,
    'Raise the limit where the server is started: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit.',
  )
}

function isBelow(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  return major === leastMajor ? minor < leastMinor : major < leastMajor
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : null
}
