/**
 * A keeper that keeps everything in a directory: `identity.json`, `journal`, and `lock` with the number of the process that uses it.
 *
 * An outbox name belongs to one live instance, so a directory has one user at a time. What a journal record says is in the
 * file before anything that follows from it leaves the process, so a killed process loses nothing; with `fsync` (the default) new
 * messages and the count of connections are also on the disk, and a machine that loses power loses none. Receipts and cursors are not flushed: losing them costs a
 * question to the server, or a gap that is none.
 */
import {
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  closeSync,
  fsyncSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { AckdError } from './errors.ts'
import { readIdentity, type Identity, type IdentityStore } from './identity.ts'
import { Journal, readJournal, syncDirectory } from './journal.node.ts'
import type { Keeper } from './keeper.ts'
import {
  encodeChange,
  encodeCursor,
  encodeRoomCursor,
  encodeSnapshot,
  isDurable,
  replay,
  type Kept,
} from './records.ts'

export interface DirectoryOptions {
  /** Flush new messages to the disk before they are sent; true unless said otherwise. */
  readonly fsync?: boolean
}

/** Where the status of a process says when it began. */
const BIRTH = 19

/** Directories that this process uses now. */
const inUse = new Set<string>()

/** Opens a directory, which is made if need be. Throws an AckdError when another client uses it, when it is damaged or cannot be written. */
export function directoryKeeper(dir: string, { fsync = true }: DirectoryOptions = {}): Keeper {
  const path = resolve(dir)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const release = lock(path)
  try {
    return new DirectoryKeeper(path, fsync, release)
  } catch (error) {
    release()
    throw error
  }
}

class DirectoryKeeper implements Keeper {
  readonly identity: IdentityStore
  readonly outbox: Kept['outbox'] | null
  readonly cursors: Kept['cursors']
  readonly rooms: Kept['rooms']
  readonly #path: string
  readonly #fsync: boolean
  readonly #release: () => void
  #journal: Journal | null = null

  constructor(path: string, fsync: boolean, release: () => void) {
    this.#path = join(path, 'journal')
    this.#fsync = fsync
    this.#release = release
    this.identity = fileIdentity(join(path, 'identity.json'))
    // Damage is told here, while the directory can still be given back.
    this.identity.load()
    const kept = readKept(this.#path)
    this.outbox = kept?.outbox ?? null
    this.cursors = kept?.cursors ?? []
    this.rooms = kept?.rooms ?? []
  }

  attach(outbox: () => Kept['outbox'], cursors: () => Kept['cursors'], rooms: () => Kept['rooms']): void {
    const snapshot = (): Uint8Array => encodeSnapshot({ outbox: outbox(), cursors: cursors(), rooms: rooms() })
    this.#journal = new Journal(this.#path, snapshot, this.#fsync)
  }

  changed(change: Parameters<Keeper['changed']>[0]): void {
    this.#journal?.add(encodeChange(change), isDurable(change.kind))
  }

  recorded(cursor: Parameters<Keeper['recorded']>[0]): void {
    this.#journal?.add(encodeCursor(cursor), false)
  }

  roomRecorded(cursor: Parameters<Keeper['roomRecorded']>[0]): void {
    this.#journal?.add(encodeRoomCursor(cursor), false)
  }

  commit(): undefined {
    this.#journal?.commit()
  }

  close(): void {
    this.#journal?.close()
    this.#journal = null
    this.#release()
  }
}

function readKept(path: string): Kept | null {
  const content = readJournal(path)
  if (content === null) return null
  if ('damagedAt' in content) throw new AckdError('unreadable', `${path} at byte ${content.damagedAt}`)
  try {
    return replay(content.records)
  } catch (error) {
    throw new AckdError('unreadable', path, error)
  }
}

/** The identity in a file that only its owner may read, replaced as a whole. */
function fileIdentity(path: string): IdentityStore {
  return {
    load: () => {
      const text = readIfThere(path)
      const identity = readIdentity(text)
      if (text !== null && identity === null) throw new AckdError('unreadable', path)
      return identity
    },
    save: (identity: Identity) => {
      const file = openSync(`${path}.new`, 'w', 0o600)
      try {
        writeFileSync(file, `${JSON.stringify(identity)}\n`)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(`${path}.new`, path)
      syncDirectory(join(path, '..'))
    },
  }
}

/**
 * Makes the directory this process's own until the returned function is called.
 *
 * The lock is a link to a file that names its process, so it is there with its content or not at all. Nobody removes the lock of
 * another but under a second lock, for taking over, which is held for the time of two calls: who only saw that the owner was dead
 * could otherwise remove the lock of who was quicker to take over.
 */
function lock(path: string): () => void {
  if (inUse.has(path)) throw new AckdError('in_use', `${path}, by this process`)
  const file = join(path, 'lock')
  const own = join(path, `lock.${process.pid}`)
  writeFileSync(own, `${process.pid} ${birthOf(process.pid)}\n`, { mode: 0o600 })
  try {
    if (!claim(own, file) && !takeOver(own, file)) {
      throw new AckdError('in_use', `${path}, by process ${ownerOf(file)?.pid}`)
    }
  } finally {
    rmSync(own, { force: true })
  }
  inUse.add(path)
  return () => {
    if (inUse.delete(path)) rmSync(file, { force: true })
  }
}

/** Whether the lock was free, and is this process's now. */
function claim(own: string, file: string): boolean {
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/** Takes the lock of a process that is gone. False: it lives, or somebody else was quicker. */
function takeOver(own: string, file: string): boolean {
  const turn = `${file}.turn`
  // Whoever died while he took over had the turn for less than a moment.
  if (isLeft(turn)) rmSync(turn, { force: true })
  if (isHeld(file) || !claim(own, turn)) return false
  try {
    // From here on nobody else removes a lock that its owner has left.
    if (isLeft(file)) rmSync(file, { force: true })
    return claim(own, file)
  } finally {
    rmSync(turn, { force: true })
  }
}

/** Whether there is such a lock, of a process that lives; and whether there is one of a process that is gone. */
function isHeld(file: string): boolean {
  const owner = ownerOf(file)
  // A process of the same number was an earlier one: in a container, the first process always has it.
  return owner !== null && owner.pid !== process.pid && isAlive(owner)
}

function isLeft(file: string): boolean {
  return ownerOf(file) !== null && !isHeld(file)
}

/** A process as a lock names it. */
interface Owner {
  readonly pid: number
  /** When it began; '' where that is not known. */
  readonly birth: string
}

/** The process that a lock names; null: there is no lock. */
function ownerOf(file: string): Owner | null {
  const content = readIfThere(file)
  if (content === null) return null
  const [pid, birth = ''] = content.trim().split(' ')
  return { pid: Number(pid), birth }
}

function isAlive({ pid, birth }: Owner): boolean {
  if (!(pid > 0)) return false
  // After the machine was started again its number may be that of any process, which need not end soon.
  const born = birth === '' ? '' : birthOf(pid)
  if (born !== '' && born !== birth) return false
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

/**
 * Whether only its entry is left, which its parent has not asked about: in a container whose first process does not care for orphans,
 * that is for ever. Told by Linux alone, as is the birth of a process.
 */
function isZombie(pid: number): boolean {
  return statusOf(pid)[0] === 'Z'
}

/** When a process began: the start of the machine, and the ticks from there on; '' when that is not told. */
function birthOf(pid: number): string {
  const ticks = statusOf(pid)[BIRTH]
  const machine = ticks === undefined ? null : readIfThere('/proc/sys/kernel/random/boot_id')
  return machine === null ? '' : `${machine.trim()}:${ticks}`
}

/** What the system says of a process: the words behind its name, which may have any characters. The first is its state. */
function statusOf(pid: number): readonly string[] {
  const stat = readIfThere(`/proc/${pid}/stat`) ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // ESRCH: the process whose file in /proc it is ends while it is read.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return null
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
