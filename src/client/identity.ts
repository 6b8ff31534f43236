/**
 * Who this client is: the id that a server gave it and the secret that proves it, kept where the next visit finds it.
 */
export interface Identity {
  readonly id: string
  readonly secret: string
}

/** Where an identity is kept, for one server. Both may throw; the client then goes on with what it has in memory, and says so. */
export interface IdentityStore {
  load(): Identity | null
  save(identity: Identity): void
}

interface StorageLike {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** In localStorage, apart for each server and profile. Without one (or when the browser forbids it) loading and saving throw. */
export function browserIdentity(url: string, profile = ''): IdentityStore {
  const key = keptName(url, profile)
  return {
    load: () => readIdentity(storage().getItem(key)),
    save: identity => {
      const place = storage()
      // What there is no room for must not leave an older secret in its place.
      place.removeItem(key)
      place.setItem(key, JSON.stringify(identity))
    },
  }
}

/** What everything of one profile at one server is called in a browser. */
export function keptName(url: string, profile: string): string {
  return `ackd ${new URL(url).host}${profile === '' ? '' : ` ${profile}`}`
}

/** For as long as the object lives; starts with what it is given. */
export function memoryIdentity(initial: Identity | null = null): IdentityStore {
  let identity = initial
  return { load: () => identity, save: next => void (identity = next) }
}

/** The id that is kept, for the time until there is a connection; null also when it cannot be read. */
export function idIn(store: IdentityStore): string | null {
  try {
    return store.load()?.id ?? null
  } catch {
    return null
  }
}

/** The identity in a JSON text; null when the text is absent or is not one. */
export function readIdentity(text: string | null): Identity | null {
  if (text === null) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || !('id' in value) || !('secret' in value)) return null
  const { id, secret } = value
  return typeof id === 'string' && typeof secret === 'string' ? { id, secret } : null
}

function storage(): StorageLike {
  const found: unknown = Reflect.get(globalThis, 'localStorage')
  if (!isStorage(found)) throw new Error('There is no localStorage here.')
  return found
}

function isStorage(value: unknown): value is StorageLike {
  return typeof value === 'object' && value !== null && 'getItem' in value && 'setItem' in value
}
