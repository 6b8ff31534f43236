/**
 * What a hello proves: nothing yet (an id and its secret are for the store), a client certificate, or a token.
 *
 * A token is checked outside the turn of the loop in which it came; everything else is answered at once, so that a client without one
 * costs no promise. An answer to a token comes later, and the connection may be gone by then.
 */
import type { Greeting } from '../core/effects.ts'
import type { CloseName } from '../protocol/errors.ts'
import type { HelloOptions } from '../protocol/frames.ts'
import { isClientId } from '../protocol/names.ts'
import type { Pipe } from '../transport/transport.ts'
import type { Audit } from './audit.ts'
import type { Pass } from './claims.ts'
import { greetingOf } from './greeting.ts'
import type { Revocations } from './revocations.ts'
import type { Tokens, Verdict } from './tokens.ts'

/** Who is let in: those with an id and a secret, those with a token, or both. */
export type AuthMode = 'anonymous' | 'token' | 'both'

/** What is to be known of the pipe of whoever says hello. */
type Caller = Pick<Pipe, 'transport' | 'address' | 'provenId'>

/** ms after which a client whose token could not be checked for the crowd may come back; others are told theirs by the admission. */
const BUSY_MS = 5_000

export type Answer =
  | { readonly kind: 'welcome'; readonly greeting: Greeting; readonly pass: Pass | null }
  | { readonly kind: 'refused'; readonly name: CloseName; readonly text: string; readonly retryAfterMs: number | null }

/** What became of a token that was to take the place of another one. */
export type Renewal =
  | { readonly kind: 'renewed'; readonly pass: Pass }
  | { readonly kind: 'refused'; readonly code: 'forbidden' | 'unavailable' | 'overloaded'; readonly text: string }

const refused = (text: string): Answer => ({ kind: 'refused', name: 'unauthorized', text, retryAfterMs: null })

export class Credentials {
  readonly #mode: AuthMode
  readonly #tokens: Tokens | null
  readonly #revocations: Revocations | null
  readonly #audit: Audit

  /** Without `tokens` none are taken; without `revocations` none are revoked. */
  constructor(mode: AuthMode, tokens: Tokens | null, revocations: Revocations | null, audit: Audit) {
    this.#mode = mode
    this.#tokens = mode === 'anonymous' ? null : tokens
    this.#revocations = revocations
    this.#audit = audit
  }

  /** How much longer than it says a token is good, ms. */
  get leewayMs(): number {
    return this.#tokens?.leewayMs ?? 0
  }

  /** Calls `answer` once, within this call unless there is a token to be checked. */
  examine(hello: HelloOptions, pipe: Caller, answer: (answer: Answer) => void): void {
    const { provenId = null } = pipe
    const say = (answered: Answer): void => {
      if (answered.kind === 'refused' && answered.name === 'unauthorized') this.#note(hello.id, pipe, answered.text)
      answer(answered)
    }
    if (provenId !== null && !isClientId(provenId))
      return say(refused('The common name of the certificate must be 1 to 64 of A-Za-z0-9_.:@-.'))
    if (hello.token === undefined) return say(this.#withoutToken(hello, provenId))
    if (this.#tokens === null) return say(refused('This server takes no tokens; say hello without one.'))
    void this.#tokens.check(hello.token).then(verdict => say(this.#judged(hello, provenId, verdict)))
  }

  /** The token that takes the place of another one. */
  async renew(token: string, old: Pass, pipe: Caller): Promise<Renewal> {
    const verdict = (await this.#tokens?.check(token)) ?? { kind: 'wrong', text: 'This server takes no tokens.' }
    if (verdict.kind === 'unavailable') return { kind: 'refused', code: 'unavailable', text: verdict.text }
    if (verdict.kind === 'busy') return { kind: 'refused', code: 'overloaded', text: verdict.text }
    const text = verdict.kind === 'good' ? this.#unfit(verdict.pass, old.id) : verdict.text
    if (verdict.kind === 'good' && text === null) return { kind: 'renewed', pass: verdict.pass }
    this.#note(old.id, pipe, text ?? '')
    return { kind: 'refused', code: 'forbidden', text: text ?? '' }
  }

  revoked(pass: Pass): boolean {
    return this.#revocations?.revoked(pass) ?? false
  }

  #withoutToken(hello: HelloOptions, provenId: string | null): Answer {
    if (this.#mode === 'token' && provenId === null) return refused('This server wants a token in hello.')
    return { kind: 'welcome', greeting: greetingOf(hello, provenId), pass: null }
  }

  #judged(hello: HelloOptions, provenId: string | null, verdict: Verdict): Answer {
    switch (verdict.kind) {
      case 'good': {
        const { pass } = verdict
        const problem = this.#unfit(pass, provenId ?? pass.id)
        if (problem !== null) return refused(problem)
        return { kind: 'welcome', greeting: greetingOf(hello, pass.id, pass), pass }
      }
      case 'wrong':
        return refused(verdict.text)
      case 'unavailable':
        return { kind: 'refused', name: 'unavailable', text: verdict.text, retryAfterMs: null }
      case 'busy':
        return { kind: 'refused', name: 'overloaded', text: verdict.text, retryAfterMs: BUSY_MS }
    }
  }

  /** Why a good token is none for this id, or null. */
  #unfit(pass: Pass, id: string): string | null {
    if (pass.id !== id) return 'The token is of another client; its sub must stay the same.'
    return this.revoked(pass) ? 'The token was revoked; fetch a new one and connect again.' : null
  }

  #note(id: string | undefined, { address, transport }: Caller, why: string): void {
    this.#audit.note('token_refused', { ...(id === undefined ? {} : { id }), address, transport, why })
  }
}
