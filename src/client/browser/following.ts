/**
 * What a tab does that follows another: it asks that one for what its application wants, and feels its pulse.
 */
import type { Asking } from '../courier.ts'
import { framesOver } from './channel.ts'
import type { PageLike } from './page.ts'
import { Pulse } from './pulse.ts'
import type { Asked, Word } from './words.ts'

export interface FollowingEvents {
  say(word: Word, to: string): void
  /** Resolves when no tab is in the midst of a write. */
  rest(): Promise<void>
  /** Takes the lead from the tab that does not answer, if that still holds when it is this tab's turn to. False when it was not tried. */
  seize(isSilent: () => boolean): Promise<boolean>
}

/** ms between two questions, unless said otherwise. */
const ASK_MS = 700
/** Questions until a tab takes the lead again: slow tabs must not take it from each other all the time. */
const PAUSE = 40

export class Following {
  /** Frames that the tab that leads writes. */
  readonly frames: Asking = framesOver((op, args) => this.ask(['frame', op, args]))
  readonly #events: FollowingEvents
  readonly #pulse: Pulse
  readonly #pauseMs: number
  #leader: string | null = null
  #isTrying = false
  /** ms */
  #notBefore = 0

  constructor(page: PageLike | null, events: FollowingEvents, askMs = ASK_MS) {
    this.#pauseMs = PAUSE * askMs
    this.#events = events
    const pulse = {
      ask: () => this.#leader !== null && events.say({ kind: 'knock' }, this.#leader),
      silent: () => void this.#trySeize(),
      isSeen: () => page?.document?.visibilityState === 'visible',
    }
    this.#pulse = new Pulse(pulse, askMs)
  }

  /** The tab that leads; null when none is known. */
  get leader(): string | null {
    return this.#leader
  }

  /** `isLocked`: that tab has a lock, which it keeps when it hangs. */
  begin(leader: string, isLocked: boolean): void {
    this.#leader = leader
    if (isLocked) this.#pulse.start()
  }

  end(): void {
    this.#leader = null
    this.#pulse.stop()
  }

  ask(call: Asked): void {
    if (this.#leader !== null) this.#events.say({ kind: 'asked', call }, this.#leader)
  }

  heard(from: string): void {
    if (from === this.#leader) this.#pulse.heard()
  }

  /** A tab that hangs in the midst of a write keeps the database as well as its lock, and is waited for. */
  async #trySeize(): Promise<void> {
    if (this.#isTrying || performance.now() < this.#notBefore) return
    this.#isTrying = true
    const leader = this.#leader
    const isSilent = (): boolean => this.#leader !== null && this.#leader === leader && this.#pulse.isSilent
    const isAtRest = await this.#events.rest().then(
      () => true,
      () => false,
    )
    if (isAtRest && (await this.#events.seize(isSilent))) this.#notBefore = performance.now() + this.#pauseMs
    this.#isTrying = false
  }
}
