/** `ackd whoami` and `ackd profile ls`: which identities this machine has on a server. They ask files, not the server. */
import { Failure } from './failure.ts'
import { DEFAULT_PROFILE, Profiles, type Whose } from './profiles.ts'
import type { Context } from './context.ts'
import { columns } from './terminal.ts'

export interface WhoFlags extends Whose {
  readonly as?: string
}

export async function whoAmI(flags: WhoFlags, { terminal, environment }: Context): Promise<void> {
  const name = flags.as ?? DEFAULT_PROFILE
  const profiles = new Profiles(environment, flags)
  // Fails for what cannot name one.
  profiles.folder(name)
  const id = profiles.id(name)
  if (id === null) {
    throw new Failure(
      'failed',
      `there is no profile '${name}' for ${profiles.server} yet`,
      profiles.fixFor(name, `make it by using it: ackd listen --as ${name}`),
    )
  }
  await terminal.data(id)
}

export async function listProfiles(flags: WhoFlags, { terminal, environment }: Context): Promise<void> {
  const profiles = new Profiles(environment, flags)
  const found = profiles.list()
  for (const line of columns(found.map(({ name, id }) => [name, id]))) await terminal.data(line)
  if (found.length > 0) return
  const others = profiles.others()
  const elsewhere = others.length === 0 ? '' : `; there are some for ${others.join(', ')} (--profiles)`
  terminal.nothing(`no profiles for ${profiles.server} yet; ackd listen --as NAME makes one${elsewhere}`)
}
