/**
 * The page without its looks: one client, what it is told and what is told to it, as a state that the views show.
 *
 *   client ── events ──> Chat ── changes ──> state ──> views ── actions ──> Chat ──> client
 *
 * The client library keeps what is on its way and sends it once; this keeps what is to be seen again. Every tab has a chat of its own over
 * the one client that all tabs share, and what only one of them knows it tells the others.
 */
import { AckdError, connect, type Client, type Message, type Status } from '../../client/index.ts'
import { Archive, type Contents } from './archive.ts'
import { readBody, readName, readTyping, type Body } from './body.ts'
import { firstUnread, withAllRead, type Conversation, type Entry, type KeptLog, type Visit } from './conversation.ts'
import { CatchUps } from './catch-up.ts'
import { LogArchive } from './log-archive.ts'
import { Network } from './network.ts'
import { newKey, Post } from './post.ts'
import { Presence } from './presence.ts'
import { RoomDesk } from './room-desk.ts'
import { isRoom } from './route.ts'
import { Siblings, type News } from './siblings.ts'
import {
  firstState,
  restored,
  tooMany,
  withConversation,
  withExisting,
  withKeptLogs,
  withNames,
  withoutConversation,
  type State,
} from './state.ts'
import { Store } from './store.ts'
import { Typing } from './typing.ts'
import { roomTroubleWords } from './words.ts'

export const LOBBY = '#lobby'
const MAX_NOTICES = 5

/** Where things are kept, and what was there. */
interface Keeping {
  readonly archive: Archive
  readonly contents: Contents
  readonly logs: LogArchive
  readonly kept: readonly KeptLog[]
}

export class Chat {
  readonly store: Store<State>
  readonly #client: Client<Body>
  readonly #archive: Archive
  readonly #logs: LogArchive
  readonly #network: Network
  readonly #siblings: Siblings
  readonly #rooms: RoomDesk
  readonly #typing: Typing
  readonly #presence: Presence
  /** Who was there to be told at once of what has come in, for those who listen instead of looking. */
  readonly #heard = new Set<(entry: Entry, target: string) => void>()
  readonly #catchUp: CatchUps
  readonly #post: Post
  readonly #connected: () => void
  readonly #onVisible = (): void => this.#seen()

  /** With what was kept of earlier visits. `connected`: there is a connection, for the first time or again. */
  static async begin(name: string, connected: () => void): Promise<Chat> {
    const archive = new Archive()
    const logs = new LogArchive()
    const [contents, kept] = await Promise.all([archive.read(), logs.read()])
    return new Chat(name, connected, { archive, contents, logs, kept })
  }

  /** Nothing that the client says is missed, since all that it may be about is there before the client is. */
  private constructor(name: string, connected: () => void, { archive, contents, logs, kept }: Keeping) {
    const { visits, entries } = contents
    this.#connected = connected
    this.#archive = archive
    this.#logs = logs
    this.#network = new Network(isCut => {
      this.store.change(state => ({ ...state, isCut }))
      if (!isCut) this.#client.reconnect()
    })
    this.#client = connect<Body>('/ws', { name, agent: 'ackd page', openSocket: this.#network.openSocket })
    const first = restored(firstState(name, this.#client.id, this.#network.isCut), visits, entries)
    this.store = new Store(withKeptLogs(first, kept))
    logs.begin(this.store)
    archive.onFailed(() =>
      this.notify('This browser keeps nothing for this page: messages are gone when it is closed.'),
    )
    this.#siblings = new Siblings({ heard: news => this.#learn(news), missed: () => void this.#reread() })
    this.#post = new Post(this.#client, this.store, this.#archive, this.#siblings)
    this.#rooms = new RoomDesk(this.#client, this.store, {
      came: (target, entries, isNew) => this.#roomSaid(target, entries, isNew),
      entered: (_, behind) => this.#catchUp.missed(behind),
    })
    this.#typing = new Typing(this.store, (target, body) => {
      if (isRoom(target)) this.#rooms.signal(target, body)
      else if (target !== this.#client.id) this.#client.signal(target, body)
    })
    this.#catchUp = new CatchUps(this.store)
    this.#presence = new Presence(this.store, ids => this.#client.presence(ids))
    this.#listen()
    this.#enterAll(visits)
  }

  /** Ends it, so that another one can begin; what is on its way is kept. */
  async stop(): Promise<void> {
    document.removeEventListener('visibilitychange', this.#onVisible)
    this.#presence.stop()
    this.#network.stop()
    this.#siblings.close()
    this.#logs.stop()
    await this.#client.close({ flushMs: 0 })
  }

  // ── what somebody does ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens a conversation, or none. Somebody new is written to from then on; a room must have been entered. */
  open(target: string | null): void {
    if (target === this.store.value.open) return
    if (target !== null && !this.store.value.conversations.has(target)) {
      if (isRoom(target)) return
      this.store.change(state => withConversation(state, target, conversation => ({ ...conversation })))
      this.#keepVisit(target)
    }
    const conversation = target === null ? undefined : this.store.value.conversations.get(target)
    this.store.change(state => ({ ...state, open: target, newFrom: conversation ? firstUnread(conversation) : '' }))
    this.#seen()
    this.#presence.ask()
  }

  /** Opens what the address of the page names; a room is entered first. */
  async follow(target: string | null): Promise<void> {
    if (target === null || !isRoom(target) || this.store.value.conversations.has(target)) {
      this.open(target)
      return
    }
    try {
      await this.join(target, '')
      this.open(target)
    } catch (error) {
      this.notify(`${target}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  say(target: string, text: string): void {
    this.#typing.done(target)
    this.#post.say(target, text)
    this.#seen()
  }

  again(target: string, entry: Entry): void {
    this.#post.again(target, entry)
  }

  remove(target: string, key: string): void {
    this.#post.remove(target, key)
  }

  typed(target: string, isEmpty: boolean): void {
    this.#typing.typed(target, isEmpty)
  }

  older(target: string): Promise<void> {
    return this.#rooms.older(target)
  }

  /** Enters a room. Rejects with words when that is refused. */
  async join(target: string, password: string): Promise<void> {
    const isNew = !this.store.value.conversations.has(target)
    if (isNew)
      this.store.change(state => withConversation(state, target, conversation => ({ ...conversation, password })))
    try {
      await this.#rooms.enter(target, password)
    } catch (error) {
      if (isNew) this.store.change(state => withoutConversation(state, target))
      throw new Error(wordsOf(error), { cause: error })
    }
    this.#keepVisit(target)
  }

  /** Makes a room and enters it. Rejects with words when that is refused. */
  async create(target: string, { isPrivate, password }: { isPrivate: boolean; password: string }): Promise<void> {
    try {
      await this.#client.rooms.create(target, { private: isPrivate, ...(password !== '' && { password }) })
    } catch (error) {
      throw new Error(wordsOf(error), { cause: error })
    }
    await this.join(target, password)
  }

  listRooms(): ReturnType<Client['rooms']['list']> {
    return this.#client.rooms.list()
  }

  /** Leaves a room, or forgets a conversation with somebody and all that is kept of it. */
  leave(target: string): void {
    this.#forget(target)
    this.#siblings.tell({ kind: 'forgotten', target })
  }

  cut(isCut: boolean): void {
    this.#network.cut(isCut)
  }

  /** Connects now, or in this tab instead of another one. */
  reconnect(): void {
    this.#client.reconnect()
  }

  notify(text: string): void {
    const notice = { key: newKey(), text }
    this.store.change(state => {
      const others = state.notices.filter(other => other.text !== text)
      return { ...state, notices: [...others, notice].slice(-MAX_NOTICES) }
    })
  }

  dismiss(key: string): void {
    this.store.change(state => ({ ...state, notices: state.notices.filter(notice => notice.key !== key) }))
  }

  /** Hears of every message that has come in, while it is new. */
  onHeard(listener: (entry: Entry, target: string) => void): () => void {
    this.#heard.add(listener)
    return () => void this.#heard.delete(listener)
  }

  // ── how it begins ────────────────────────────────────────────────────────────────────────────────────────────────────

  #listen(): void {
    const client = this.#client
    client.on('status', status => this.#status(status))
    this.#status(client.status)
    client.on('receipt', receipt => this.#post.receipt(receipt))
    client.on('signal', ({ from, to, body }) => {
      const isTyping = readTyping(body)
      if (isTyping !== null && from !== client.id) this.#typing.heard(from, to, isTyping)
    })
    client.on('missed', () => void this.#reread())
    client.on('error', error => this.#failed(error))
    client.on('message', message => this.#message(message))
    document.addEventListener('visibilitychange', this.#onVisible)
  }

  /** Who was never here is led into the lobby. */
  #enterAll(visits: readonly Visit[]): void {
    const rooms = visits.filter(({ target }) => isRoom(target))
    if (visits.length === 0) void this.join(LOBBY, '').catch((error: unknown) => this.notify(String(error)))
    for (const { target, password } of rooms) void this.#enter(target, password)
  }

  async #enter(target: string, password: string): Promise<void> {
    try {
      await this.#rooms.enter(target, password)
    } catch (error) {
      const trouble = wordsOf(error)
      this.#set(target, conversation => ({ ...conversation, trouble }))
    }
  }

  /** Other tabs were shown what this one was not: it is in the archive. */
  async #reread(): Promise<void> {
    const { visits, entries } = await this.#archive.read()
    this.store.change(state => restored(state, visits, entries))
  }

  // ── what the client says ─────────────────────────────────────────────────────────────────────────────────────────────

  #status(status: Status): void {
    this.store.change(state => ({ ...state, status, own: this.#client.id }))
    if (status.state === 'connected') {
      this.#catchUp.missed(status.parked)
      this.#presence.ask()
      this.#connected()
    } else {
      this.#rooms.closed()
      this.#presence.closed()
    }
  }

  /** Resolves when it is kept, and is acked then. */
  async #message({ from, outbox, n, time, body, parked }: Message<Body>): Promise<void> {
    const { text, name: said, key } = readBody(body)
    const name = readName(said)
    if (parked) this.#catchUp.came(1)
    this.#typing.came(from, from)
    // What one sends to oneself is there already.
    if (from === this.#client.id && this.#has(from, key)) return
    const entry = { key: `${from} ${outbox} ${n}`, from, name, text, time, at: Date.now(), own: false }
    const isNew = !this.store.value.conversations.has(from)
    const excess = isNew ? tooMany(this.store.value) : null
    if (excess !== null) this.#forget(excess)
    await this.#add(from, { ...entry, tick: null, trouble: '', offset: null })
    this.store.change(state => withNames(state, [{ id: from, name }]))
    if (isNew) this.#keepVisit(from)
    this.#tell(from, { ...entry, tick: null, trouble: '', offset: null })
  }

  #roomSaid(target: string, entries: readonly Entry[], isNew: boolean): void {
    const own = entries.filter(entry => entry.own).map(({ key }) => key)
    if (own.length > 0) void this.#archive.remove(own)
    this.#logs.said(target)
    if (isNew) {
      this.#catchUp.came(entries.length)
      for (const entry of entries) {
        this.#typing.came(target, entry.from)
        if (!entry.own) this.#tell(target, entry)
      }
    }
    this.#seen()
  }

  #failed(error: AckdError): void {
    const isKnown = error.code === 'not_kept' || error.code === 'unreadable'
    this.notify(
      isKnown
        ? 'This browser has no room for this page: what was not sent yet is lost when it is closed.'
        : error.message,
    )
  }

  #add(target: string, entry: Entry): Promise<void> {
    this.#post.learned(target, entry)
    this.#seen()
    return this.#archive.keep(target, [entry])
  }

  #has(target: string, key: string): boolean {
    const { entries } = this.store.value.conversations.get(target) ?? { entries: [] }
    return key !== '' && entries.some(entry => entry.key === key)
  }

  #tell(target: string, entry: Entry): void {
    for (const listener of this.#heard) listener(entry, target)
  }

  // ── what was read, and what was missed ───────────────────────────────────────────────────────────────────────────────

  /** What is open and looked at is read. */
  #seen(): void {
    const { open, conversations } = this.store.value
    const conversation = open === null ? undefined : conversations.get(open)
    if (conversation === undefined || document.visibilityState !== 'visible' || conversation.mark === null) return
    const read = withAllRead(conversation)
    if (read === conversation) return
    this.#set(conversation.target, () => read)
    this.#keepVisit(conversation.target)
  }

  // ── tabs, and what is kept ───────────────────────────────────────────────────────────────────────────────────────────

  #learn(news: News): void {
    switch (news.kind) {
      case 'entry':
        return this.#post.learned(news.target, news.entry)
      case 'removed':
        return this.#post.removed(news.target, news.key)
      case 'forgotten':
        return this.#forget(news.target)
      case 'visit': {
        const { target, mark, readTo, password } = news.visit
        const isNew = !this.store.value.conversations.has(target)
        this.store.change(state =>
          withConversation(state, target, conversation => ({ ...conversation, mark, readTo, password })),
        )
        if (isNew && isRoom(target)) void this.#enter(target, password)
      }
    }
  }

  #forget(target: string): void {
    const { entries } = this.store.value.conversations.get(target) ?? { entries: [] }
    if (isRoom(target)) {
      this.#rooms.leave(target)
      this.#logs.forget(target)
    }
    this.store.change(state => withoutConversation(state, target))
    void this.#archive.forget(
      target,
      entries.map(({ key }) => key),
    )
  }

  #keepVisit(target: string): void {
    const conversation = this.store.value.conversations.get(target)
    if (conversation === undefined) return
    const { mark, readTo, epoch, password } = conversation
    const visit = { target, mark, readTo, epoch, password }
    this.#siblings.tell({ kind: 'visit', visit })
    void this.#archive.visit(visit)
  }

  #set(target: string, change: (conversation: Conversation) => Conversation): void {
    this.store.change(state => withExisting(state, target, change))
  }
}

function wordsOf(error: unknown): string {
  return error instanceof AckdError ? roomTroubleWords(error.code, error.message) : String(error)
}
