/**
 * What the tabs of the page tell each other: what one has written, read, entered or forgotten, so that all show the same.
 *
 * A page that goes into the back-forward cache hears nothing there, and an open channel would keep it out of it. So the channel is closed, and
 * the page looks at what is kept when it comes back.
 */
import type { Entry, Visit } from './conversation.ts'

export type News =
  | { readonly kind: 'entry'; readonly target: string; readonly entry: Entry }
  | { readonly kind: 'removed'; readonly target: string; readonly key: string }
  | { readonly kind: 'visit'; readonly visit: Visit }
  | { readonly kind: 'forgotten'; readonly target: string }

export interface SiblingEvents {
  heard(news: News): void
  /** Other tabs may have told what this one did not hear. */
  missed(): void
}

export class Siblings {
  readonly #events: SiblingEvents
  #channel: BroadcastChannel | null = null
  readonly #hide = (): void => this.#shut()
  readonly #show = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return
    this.#open()
    this.#events.missed()
  }

  constructor(events: SiblingEvents) {
    this.#events = events
    this.#open()
    addEventListener('pagehide', this.#hide)
    addEventListener('pageshow', this.#show)
  }

  tell(news: News): void {
    this.#channel?.postMessage(news)
  }

  close(): void {
    removeEventListener('pagehide', this.#hide)
    removeEventListener('pageshow', this.#show)
    this.#shut()
  }

  #open(): void {
    this.#channel ??= new BroadcastChannel('ackd chat')
    // Only this file writes there.
    this.#channel.onmessage = ({ data }) => this.#events.heard(data as News)
  }

  #shut(): void {
    this.#channel?.close()
    this.#channel = null
  }
}
