/**
 * Accounts and revoked tokens, as a store keeps them. Every implementation passes `test/store/contract-accounts.ts`.
 *
 * Order, atomicity and failure are those of `store.ts`, with the account's id in the place of the client's. `add`, `change`, `remove`
 * and `revoke` answer only when a loss of power can no longer undo them: a password that was changed because it leaked must not come back.
 * A store never sees a password, only what argon2id made of it.
 */

/** Somebody who proves the id by a password. */
export interface Account {
  /** The client id that a login gives. */
  readonly id: string
  /** Argon2id of the password, in the PHC form. */
  readonly password: string
  /** ms since the epoch. */
  readonly created: number
  /** ms since the epoch: when the password was set. */
  readonly changed: number
  /** Its tokens give the rights of an admin. */
  readonly admin: boolean
  /** Nobody can log in with it; its name stays taken. */
  readonly disabled: boolean
}

/** What may become of an account. */
export type AccountChange = Partial<Omit<Account, 'id' | 'created'>>

/** Tokens that are no longer good, though they have not expired. */
export interface Revocation {
  /** `token`: the one with this `jti`. `client`: all of this `sub` that were issued at or before `time`. */
  readonly kind: 'token' | 'client'
  readonly value: string
  /** ms since the epoch: when it was revoked. */
  readonly time: number
  /** ms since the epoch: by then every token that is meant has expired, and the entry may be forgotten. */
  readonly expires: number
}

/** Its place in the list: rises with every revocation, never repeats. Made like the sequences of mailboxes: max(last + 1, now in µs). */
export interface ListedRevocation extends Revocation {
  readonly s: number
}

/** Revocations that are kept, at most; those that have expired make room. */
export const MAX_REVOCATIONS = 100_000

export interface AccountStore {
  /** `exists`: somebody else has that id. The same password hash again is the same call again: `added`. */
  add(account: Account): Promise<'added' | 'exists'>

  find(id: string): Promise<Account | null>

  /** The accounts after that id, by id, at most `limit`; fewer only where there are no more. */
  list(after: string, limit: number): Promise<readonly Account[]>

  /** Sets what is given and keeps the rest. False: there is no such account. */
  change(id: string, change: AccountChange): Promise<boolean>

  /** Forgets the account; its name is free. False: there is no such account. */
  remove(id: string): Promise<boolean>

  /**
   * Lists a revocation. One of the same kind and value is replaced, with the later `time` and `expires` of the two, and gets a new
   * place. `full`: the list is, and nothing of it has expired.
   */
  revoke(revocation: Revocation): Promise<'revoked' | 'full'>

  /** The revocations after that place, in order, at most `limit`; those that have expired may be left out. */
  revocations(after: number, limit: number): Promise<readonly ListedRevocation[]>
}
