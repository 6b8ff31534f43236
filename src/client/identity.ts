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
}

/** In localStorage, apart for each server. Without one (or when the browser forbids it) loading and saving throw. */
export function browserIdentity(url: string): IdentityStore {
  const key = `ackd ${new URL(url).host}`
  return {
    load: () => readIdentity(storage().getItem(key)),
    save: identity => storage().setItem(key, JSON.stringify(identity)),
  }
}

/** For as long as the object lives; starts with what it is given. */
export function memoryIdentity(initial: Identity | null = null): IdentityStore {
  let identity = initial
  return { load: () => identity, save: next => void (identity = next) }
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
