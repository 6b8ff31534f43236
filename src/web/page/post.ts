/**
 * One's own messages: shown at once, kept until they have an end, and ticked off as the client says what became of them.
 *
 * The client library owns what is on its way, over reloads and crashes; its receipts carry the key under which a message is known here.
 */
import { AckdError, type Client, type Receipt } from '../../client/index.ts'
import type { Archive } from './archive.ts'
import type { Body } from './body.ts'
import { withEntries, withoutEntry, withTick, type Entry, type Tick } from './conversation.ts'
import { withConversation, withExisting, type State } from './state.ts'
import type { Siblings } from './siblings.ts'
import type { Store } from './store.ts'
import { endingWords } from './words.ts'

export class Post {
  readonly #client: Client<Body>
  readonly #store: Store<State>
  readonly #archive: Archive
  readonly #siblings: Siblings
  /** Messages whose end is told by a promise, which knows more than their receipts. */
  readonly #promised = new Set<string>()

  constructor(client: Client<Body>, store: Store<State>, archive: Archive, siblings: Siblings) {
    this.#client = client
    this.#store = store
    this.#archive = archive
    this.#siblings = siblings
  }

  /** Writes a message, which is shown at once and sent when it can be. */
  say(target: string, text: string): void {
    const now = Date.now()
    const entry: Entry = {
      key: newKey(),
      from: this.#client.id ?? '',
      name: this.#store.value.name,
      text,
      time: now,
      at: now,
      own: true,
      tick: 'waiting',
      trouble: '',
      offset: null,
    }
    this.learned(target, entry)
    void this.#archive.keep(target, [entry])
    this.#siblings.tell({ kind: 'entry', target, entry })
    void this.#send(target, entry)
  }

  /** Sends one that failed once more, as a new one. */
  again(target: string, { key, text }: Entry): void {
    this.remove(target, key)
    this.say(target, text)
  }

  /** Takes a message away that failed. */
  remove(target: string, key: string): void {
    this.removed(target, key)
    this.#siblings.tell({ kind: 'removed', target, key })
    void this.#archive.remove([key])
  }

  receipt({ key, status, to }: Receipt): void {
    const isGood = status === 'stored' || status === 'delivered'
    if (status === 'forgotten' || (!isGood && this.#promised.has(key))) return
    this.#tick(to, key, isGood ? status : 'failed', isGood ? '' : endingWords(status))
  }

  /** Another tab has written a message, or taken one away. */
  learned(target: string, entry: Entry): void {
    this.#store.change(state => withConversation(state, target, conversation => withEntries(conversation, [entry])))
  }

  removed(target: string, key: string): void {
    this.#store.change(state => withExisting(state, target, conversation => withoutEntry(conversation, key)))
  }

  async #send(target: string, { key, text, name }: Entry): Promise<void> {
    this.#promised.add(key)
    try {
      const sent = await this.#client.send(target, { text, name, key }, { key })
      this.#tick(target, key, sent.status)
    } catch (error) {
      // The client was closed to begin anew; its outbox keeps the message.
      if (error instanceof AckdError && error.code === 'closed') return
      this.#tick(target, key, 'failed', error instanceof AckdError ? endingWords(error.code) : String(error))
    } finally {
      this.#promised.delete(key)
    }
  }

  #tick(target: string, key: string, tick: Tick, trouble = ''): void {
    this.#store.change(state => withExisting(state, target, conversation => withTick(conversation, key, tick, trouble)))
    const entry = this.#store.value.conversations.get(target)?.entries.find(one => one.key === key)
    if (entry === undefined) void this.#archive.tick(key, tick, trouble)
    else if (entry.offset === null) void this.#archive.keep(target, [entry])
  }
}

/** A random name. Not by `randomUUID`, which a page that came over plain http has not. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
