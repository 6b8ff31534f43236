/** `ackd whoami` and `ackd profile ls`: which identities this machine has on a server. They ask files, not the server. */
import { Failure } from './failure.ts'
import { DEFAULT_PROFILE, Profiles } from './profiles.ts'
import type { Context } from './context.ts'
import { columns } from './terminal.ts'

export interface WhoFlags {
  readonly url: string
  readonly as?: string
}

export async function whoAmI(flags: WhoFlags, { terminal, environment }: Context): Promise<void> {
  const name = flags.as ?? DEFAULT_PROFILE
  const profiles = new Profiles(environment, flags.url)
  // Fails for what cannot name one.
  profiles.folder(name)
  const id = profiles.id(name)
  if (id === null) {
    throw new Failure(
      'failed',
      `there is no profile '${name}' for ${flags.url} yet`,
      `make it by using it: ackd listen --as ${name}`,
    )
  }
  await terminal.data(id)
}

export async function listProfiles(flags: WhoFlags, { terminal, environment }: Context): Promise<void> {
  const profiles = new Profiles(environment, flags.url).list()
  for (const line of columns(profiles.map(({ name, id }) => [name, id]))) await terminal.data(line)
  if (profiles.length === 0) terminal.nothing(`no profiles for ${flags.url} yet; ackd listen --as NAME makes one`)
}
