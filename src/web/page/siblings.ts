/** What the tabs of the page tell each other: what one has written, read, entered or forgotten, so that all show the same. */
import type { Entry, Visit } from './conversation.ts'

export type News =
  | { readonly kind: 'entry'; readonly target: string; readonly entry: Entry }
  | { readonly kind: 'removed'; readonly target: string; readonly key: string }
  | { readonly kind: 'visit'; readonly visit: Visit }
  | { readonly kind: 'forgotten'; readonly target: string }

export class Siblings {
  readonly #channel = new BroadcastChannel('ackd chat')

  constructor(heard: (news: News) => void) {
    // Only this file writes there.
    this.#channel.onmessage = ({ data }) => heard(data as News)
  }

  tell(news: News): void {
    this.#channel.postMessage(news)
  }

  close(): void {
    this.#channel.close()
  }
}
