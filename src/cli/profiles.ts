/**
 * Who a command is: a *profile* is a name for an identity on one server, kept in a folder of its own.
 *
 * The folders lie under `ACKD_HOME`, else `$XDG_CONFIG_HOME/ackd`, else `~/.config/ackd`, as `<server>/<name>`: an identity belongs to
 * the server that gave it, and its secret must never be offered to another. The identity file in the folder is written and
 * read by the client library; here it is only asked for its id.
 *
 * An id has one live connection, so a profile is used by one command at a time: the client library locks its folder.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from './failure.ts'

export const DEFAULT_PROFILE = 'default'

/** Where a message goes, and the profile that the name stood for, if it was one. */
export interface Address {
  readonly id: string
  readonly profile: string | null
}

export class Profiles {
  readonly #directory: string

  constructor(environment: NodeJS.ProcessEnv, url: string) {
    this.#directory = join(home(environment), serverName(url))
  }

  /** The folder of a profile, for the client library to make and lock. */
  folder(name: string): string {
    checkName(name)
    return join(this.#directory, name)
  }

  /** The id of a profile; null before it has first been connected. */
  id(name: string): string | null {
    return readId(join(this.#directory, name))
  }

  /** All profiles with an id on this server, by name. */
  list(): { readonly name: string; readonly id: string }[] {
    return readNames(this.#directory).flatMap(name => {
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

function serverName(url: string): string {
  return new URL(url).host.replaceAll(':', '_')
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

function readNames(directory: string): string[] {
  try {
    return readdirSync(directory).filter(isProfileName).sort()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

function readId(folder: string): string | null {
  try {
    const identity: unknown = JSON.parse(readFileSync(join(folder, 'identity.json'), 'utf8'))
    return typeof identity === 'object' && identity !== null && 'id' in identity ? String(identity.id) : null
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null
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
