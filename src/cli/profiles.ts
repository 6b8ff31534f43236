/**
 * Who a command is: a *profile* is a name for an identity on one server, kept in a folder of its own.
 *
 * The folders lie under `ACKD_HOME`, else `$XDG_CONFIG_HOME/ackd`, else `~/.config/ackd`, as `<server>/<name>`: an identity belongs to
 * the server that gave it, and its secret must not be offered to another. That two addresses lead to one server, or to nodes that share
 * a Redis, cannot be seen from here; so whoever knows it says whose profiles to use. The identity file in the folder is written and
 * read by the client library; here it is only asked for its id.
 *
 * An id has one live connection, so a profile is used by one command at a time: the client library locks its folder.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from './failure.ts'

export const DEFAULT_PROFILE = 'default'

/** Where a message goes, and the profile that the name stood for, if it was one. */
export interface Address {
  readonly id: string
  readonly profile: string | null
}

/** Whose profiles a command uses. */
export interface Whose {
  readonly url: string
  /** The server, as `host:port`, that has the profiles; without it, and without `ACKD_PROFILES`, that of the URL. */
  readonly profiles?: string
}

export class Profiles {
  /** The server whose profiles these are, as `host:port`. */
  readonly server: string
  readonly #home: string
  readonly #directory: string

  /** Throws when the name of the server is none. */
  constructor(environment: NodeJS.ProcessEnv, { url, profiles }: Whose) {
    const named = profiles ?? environment['ACKD_PROFILES']
    this.server = named === undefined ? new URL(url).host : checkServer(named)
    this.#home = home(environment)
    this.#directory = join(this.#home, folderOf(this.server))
  }

  /** The folder of a profile, for the client library to make and lock. */
  folder(name: string): string {
    checkName(name)
    return join(this.#directory, name)
  }

  /** The folder of a client that proves by a token who it is. It is no profile, whose name has no such character. */
  folderOfSubject(id: string): string {
    return join(this.#directory, `@${id.replaceAll(':', '%3A')}`)
  }

  /** The first other server with a profile of this name; null: there is none. */
  elsewhere(name: string): string | null {
    if (!isProfileName(name)) return null
    const own = folderOf(this.server)
    const found = names(this.#home).find(server => server !== own && hasIdentity(join(this.#home, server, name)))
    return found === undefined ? null : serverOf(found)
  }

  /** The other servers that have profiles. */
  others(): readonly string[] {
    const own = folderOf(this.server)
    const isOther = (folder: string): boolean =>
      folder !== own && names(join(this.#home, folder)).some(name => hasIdentity(join(this.#home, folder, name)))
    return names(this.#home).filter(isOther).map(serverOf)
  }

  /** What to do about a profile that is not there: use that of another server, if there is one; else `fix`. */
  fixFor(name: string, fix: string): string {
    const other = this.elsewhere(name)
    if (other === null) return fix
    return `${other} has one; if that is the same server or a node of the same cluster, add --profiles ${other}`
  }

  /** The id of a profile; null before it has first been connected. */
  id(name: string): string | null {
    return readId(join(this.#directory, name))
  }

  /** All profiles with an id on this server, by name. */
  list(): { readonly name: string; readonly id: string }[] {
    return names(this.#directory)
      .filter(isProfileName)
      .flatMap(name => {
        const id = this.id(name)
        return id === null ? [] : [{ name, id }]
      })
  }

  /** The name of the profile with this id, if it is one of ours. */
  nameOf(id: string): string | null {
    return this.list().find(profile => profile.id === id)?.name ?? null
  }

  /** What TO means: a profile of that name if there is one, else the id itself. */
  resolve(to: string): Address {
    const id = isProfileName(to) ? this.id(to) : null
    return id === null ? { id: to, profile: null } : { id, profile: to }
  }
}

function home(environment: NodeJS.ProcessEnv): string {
  const config = environment['XDG_CONFIG_HOME']
  return environment['ACKD_HOME'] || join(config || join(homedir(), '.config'), 'ackd')
}

/** A colon is no part of a name in every file system. */
function folderOf(server: string): string {
  return server.replaceAll(':', '_')
}

function serverOf(folder: string): string {
  return folder.replace(/_(\d+)$/, ':$1')
}

function checkServer(name: string): string {
  if (/^[A-Za-z0-9[][A-Za-z0-9[\].:_-]{0,254}$/.test(name)) return name
  throw new Failure('usage', `'${name}' is not a server that has profiles`, 'write its host and port: 127.0.0.1:5000')
}

/** A name never looks like an id that a server makes up, so that the two cannot be mistaken for each other. */
function isProfileName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(name) && !/^[A-Za-z0-9_-]{16}$/.test(name)
}

function checkName(name: string): void {
  if (isProfileName(name)) return
  const fix =
    'take 1 to 32 letters, digits, dots, dashes and underscores, but not 16 of them, which is what ids look like'
  throw new Failure('usage', `'${name}' cannot name a profile`, fix)
}

/** The folders in a directory, by name; none when there is no such directory. */
function names(directory: string): string[] {
  try {
    const found = readdirSync(directory, { withFileTypes: true })
    return found.flatMap(entry => (entry.isFile() ? [] : [entry.name])).sort()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw unusable(directory, error)
  }
}

/** A place for profiles that this user cannot use. */
export function unusable(path: string, error: unknown): Failure {
  const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return new Failure(
    'failed',
    `the profiles in ${path} cannot be used (${why})`,
    'let this user write there, or name a directory of your own in ACKD_HOME',
  )
}

function hasIdentity(folder: string): boolean {
  return existsSync(join(folder, 'identity.json'))
}

function readId(folder: string): string | null {
  try {
    const identity: unknown = JSON.parse(readFileSync(join(folder, 'identity.json'), 'utf8'))
    return typeof identity === 'object' && identity !== null && 'id' in identity ? String(identity.id) : null
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
    if (hasCode(error, 'EACCES')) throw unusable(folder, error)
    throw new Failure(
      'failed',
      `the identity in ${folder} cannot be read`,
      'restore identity.json there, or remove the folder and lose that id',
    )
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
