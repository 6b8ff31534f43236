/**
 * The data directory: whether it can be written, where it lies, how much room there is, and whether the store in it is whole.
 *
 * Nothing is made or changed there. A running server keeps the lock, which is as it should be; its file is then only opened, since
 * what is being written cannot be checked page by page.
 */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkFile, dataFiles } from '../store/lmdb/directory.ts'
import { isLocked } from '../store/lmdb/lock.ts'
import { openLmdbReader } from '../store/lmdb/reader.ts'
import { StoreError } from '../store/store.ts'
import { bad, good, warning, type Finding } from './finding.ts'
import { showBytes } from './quantities.ts'

const MiB = 1024 * 1024
/** A store that has less can hardly start. */
const LEAST_BYTES = 64 * MiB
const AMPLE_BYTES = 1024 * MiB
const VERIFY_MS = 2_000
const MAP_BYTES = 1024 * MiB

const REMOTE = 'on which files that processes share are not safe'
const FLEETING = 'which does not outlive'

/** By the number that the kernel calls a kind by. Those that are not listed are taken for disks. */
const doubtful: ReadonlyMap<number, string> = new Map([
  [0x6969, `NFS, ${REMOTE}`],
  [0x517b, `SMB, ${REMOTE}`],
  [0xff534d42, `CIFS, ${REMOTE}`],
  [0xfe534d42, `SMB, ${REMOTE}`],
  [0x01021997, `9p, ${REMOTE}`],
  [0x65735546, `FUSE, ${REMOTE}`],
  [0x01021994, `tmpfs, ${FLEETING} the machine's next start`],
  [0x858458f6, `ramfs, ${FLEETING} the machine's next start`],
  [0x794c7630, `overlayfs, ${FLEETING} its container`],
])

export function checkDirectory(directory: string): readonly Finding[] {
  const path = resolve(directory)
  const nearest = nearestOf(path)
  try {
    if (!statSync(nearest).isDirectory())
      return [bad(`${nearest} is no directory.`, 'Name another one in ACKD_DATA_DIR.')]
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    return [
      bad(
        `The data directory ${path} cannot be written: ${said(error)}.`,
        `Let this user write ${nearest}, or name another one in ACKD_DATA_DIR.`,
      ),
    ]
  }
  const { type, bavail, bsize } = statfsSync(nearest)
  return [ownership(path), judgeRoom(path, bavail * bsize), judgeFileSystem(path, type)]
}

function ownership(path: string): Finding {
  if (!existsSync(path)) return good(`the data directory ${path} will be made`)
  return isLocked(dataFiles(path).lock)
    ? good(`the data directory ${path} is in use by a server that runs`)
    : good(`the data directory ${path} can be written, and no server uses it`)
}

export function judgeRoom(path: string, bytes: number): Finding {
  if (bytes >= AMPLE_BYTES) return good(`${showBytes(bytes)} are free there`)
  const what = `Only ${showBytes(bytes)} are free for ${path}.`
  const fix = 'Free some, or name a directory on another disk; a full one hands messages back.'
  return bytes < LEAST_BYTES ? bad(what, fix) : warning(what, fix)
}

export function judgeFileSystem(path: string, type: number): Finding {
  const doubt = doubtful.get(type)
  if (doubt === undefined) return good('it is on a local file system')
  return warning(`${path} is on ${doubt}.`, 'Name a directory on a local disk, in a container on a volume.')
}

/** Opens the embedded store as a reader does, after its pages were checked if nobody writes it. */
export async function checkEmbedded(directory: string): Promise<Finding> {
  const { data, marker, lock } = dataFiles(directory)
  if (!existsSync(data) && !existsSync(marker)) return good('the embedded store is empty and will be made')
  const notes: string[] = []
  try {
    const damaged = isLocked(lock)
      ? []
      : checkFile(directory, { mapBytes: MAP_BYTES, verifyMs: VERIFY_MS, onNote: note => notes.push(note) })
    if (damaged.length > 0) return damagedMessages(damaged.length)
    const reader = openLmdbReader(directory)
    reader.mailboxes('', 1)
    await reader.close()
    return good(`the embedded store opens${isLocked(lock) ? '' : `; ${notes[0] ?? 'every page of it is whole'}`}`)
  } catch (error) {
    if (error instanceof StoreError) return bad(error.message, error.fix)
    return bad(
      `The embedded store cannot be opened: ${said(error)}.`,
      `Let this user read ${directory}, and write its lock files.`,
    )
  }
}

/** Not even a reader takes a mailbox in which messages are missing, before a server has set them aside. */
function damagedMessages(count: number): Finding {
  return warning(
    `${count === 1 ? 'One message in the embedded store is' : `${count} messages in the embedded store are`} damaged.`,
    'Look at the disk. A server sets aside what is damaged when it starts, and tells its sender as far as it is known.',
  )
}

/** The directory itself, or the nearest one above it that is there. */
function nearestOf(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestOf(dirname(path))
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
