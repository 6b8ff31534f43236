/**
 * Keeps a second server from a data directory.
 *
 * LMDB lets many processes write to one file, but the store keeps owners and counters in memory, so it must be alone. The lock
 * is a file that names its process: in the same pid namespace it is known at once whether that lives; from elsewhere, as with two
 * containers on one volume, a lock counts as held as long as its time is renewed.
 */
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'

import { StoreError } from '../store.ts'

const RENEW_MS = 5_000

/** A holder that cannot be asked is taken for dead when its lock is older than this. */
const EXPIRED_MS = 20_000

interface Holder {
  readonly pid: number
  /** When the process started, as the kernel counts; '' where it does not tell. */
  readonly started: string
  /** The boot and the pid namespace in which `pid` means something. */
  readonly world: string
}

function tryRead(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

function startOf(pid: number): string {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  // The name of the program, in brackets, may hold spaces; the start is the twentieth field behind it.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function world(): string {
  const boot = tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim())
  return `${boot} ${tryRead(() => readlinkSync('/proc/self/ns/pid'))}`
}

function parseHolder(text: string): Holder | null {
  const [pid = '', started = '', ...rest] = text.split('\n')
  return Number(pid) > 0 ? { pid: Number(pid), started, world: rest.join('\n') } : null
}

function lives({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
  }
  return startOf(pid) === started
}

function isHeld(path: string, text: string): boolean {
  const holder = parseHolder(text)
  if (holder !== null && holder.world === world()) return lives(holder)
  return Date.now() - statSync(path).mtimeMs < EXPIRED_MS
}

/** Whether a living process holds the lock. */
export function isLocked(path: string): boolean {
  const text = tryRead(() => readFileSync(path, 'latin1'))
  return text !== '' && isHeld(path, text)
}

export interface Lock {
  release(): void
}

/** Throws `StoreError` when another process holds the lock. */
export function acquireLock(path: string): Lock {
  const own = `${path}.${process.pid}`
  const text = `${process.pid}\n${startOf(process.pid)}\n${world()}`
  writeFileSync(own, text, { mode: 0o600 })
  try {
    // Two that find the same dead lock may meet; whoever loses three times in a row had better be told.
    for (let tries = 0; tries < 3; tries++) {
      if (tryLink(own, path)) return hold(path, text)
      takeOver(path, `${own}.old`)
    }
    throw heldBy(tryRead(() => readFileSync(path, 'latin1')))
  } finally {
    rmSync(own, { force: true })
  }
}

/** Made by a link, because that fails when the name is taken and never shows half a file. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Moves a dead lock away; what was moved is looked at again, since it may have become a living one in between. */
function takeOver(path: string, aside: string): void {
  const text = tryRead(() => readFileSync(path, 'latin1'))
  if (text !== '' && isHeld(path, text)) throw heldBy(text)
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if (tryRead(() => readFileSync(aside, 'latin1')) !== text) tryLink(aside, path)
  rmSync(aside, { force: true })
}

function heldBy(text: string): StoreError {
  const pid = parseHolder(text)?.pid
  return new StoreError(
    `The data directory is in use by another server${pid === undefined ? '' : ` (process ${pid})`}.`,
    'Stop that one first, or give this one a directory of its own.',
  )
}

function hold(path: string, text: string): Lock {
  const timer = setInterval(() => renew(path), RENEW_MS)
  timer.unref()
  return {
    release: () => {
      clearInterval(timer)
      if (tryRead(() => readFileSync(path, 'latin1')) === text) rmSync(path, { force: true })
    },
  }
}

/** A lock whose time cannot be renewed, on a full disk for example, is still a lock. */
function renew(path: string): void {
  const now = new Date()
  tryRead(() => {
    utimesSync(path, now, now)
    return ''
  })
}
