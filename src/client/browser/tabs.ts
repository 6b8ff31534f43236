/**
 * All tabs of an origin as one client: one of them leads and has the office, the others go through it.
 *
 *   looking ── lock ──> leading ── freeze, pagehide ──> asleep ── resume, pageshow ──> looking
 *      └── somebody leads ──> following ── the leader is gone or hangs, lock ──> leading
 *
 * Whoever holds the lock leads; when its page sleeps or dies, the browser hands the lock to another tab, which goes on with what is in
 * the database: the outbox, how far the inbox has read, and the letters of all tabs. So it needs to hear nothing of the one before.
 *
 * A letter of a tab that follows is in the database before anybody knows of it, and the leader moves it from the letters into the journal
 * in one transaction. So it always belongs to the database, never to a tab, and it is sent once whoever dies when.
 *
 * A page that hangs keeps its lock, so it is taken from one that does not answer; a page that hangs no more learns that before it can write.
 * A tab that finds a database of a later version than its own ends: it would not understand what is in there.
 *
 * Each tab remembers what it was shown, so that what a new leader shows again is not shown twice.
 *
 * Without Web Locks (they need https or localhost) the tab that was opened last leads and the one before is `closed` as `replaced` until
 * somebody uses it. Without a database every tab is a client of its own, with the same identity, and the same happens by the server's doing.
 */
import type { Browser } from './browser.ts'
import { Candidacy } from './candidacy.ts'
import { Channel, perform } from './channel.ts'
import type { Asking, Courier, CourierEvents, Letter } from '../courier.ts'
import { Database } from './database.ts'
import { DatabaseKeeper } from './database-keeper.ts'
import { Desk } from './desk.ts'
import { Following } from './following.ts'
import { AckdError } from '../errors.ts'
import type { RoomCursor } from '../rooms/feed.ts'
import { idIn, type IdentityStore } from '../identity.ts'
import type { Incoming } from '../inbox.ts'
import { identityKeeper, type Keeper } from '../keeper.ts'
import { Leadership } from './leadership.ts'
import { Letters } from './letters.ts'
import type { Entrance } from '../rooms/memberships.ts'
import type { OfficeOptions } from './office.ts'
import { watchPage } from './page.ts'
import { randomName } from '../random-name.ts'
import { Shown } from './shown.ts'
import type { Asked, Told, Word } from './words.ts'

export interface TabsOptions {
  /** Of everything that these tabs share. */
  readonly name: string
  readonly url: string
  readonly office: Omit<OfficeOptions, 'identity' | 'keeper'>
  readonly identity: IdentityStore
  readonly browser: Browser
  /** See `Following`. */
  readonly askMs?: number
}

type Place = 'looking' | 'leading' | 'following' | 'alone' | 'elsewhere' | 'asleep' | 'closed'

/** ms that a tab without locks waits for a sign of another before it leads after a sleep. */
const ANSWER_MS = 500

export class Tabs implements Courier {
  readonly #tab = randomName()
  readonly mark = `${this.#tab} `
  readonly #options: TabsOptions
  readonly #desk: Desk
  readonly #face: CourierEvents
  readonly #database: Database
  readonly #letters: Letters
  readonly #shown: Shown
  readonly #unwatch: () => void
  readonly #following: Following
  #place: Place = 'looking'
  /** Counts the places; whatever was begun in an earlier one is void. */
  #life = 0
  #channel: Channel | null = null
  readonly #candidacy: Candidacy
  #leadership: Leadership | null = null
  #epoch = 0
  #listening = false
  readonly rooms: Promise<readonly RoomCursor[]>
  #roomsKnown: (rooms: readonly RoomCursor[]) => void = () => {}
  /** The epoch in which this tab led when it fell asleep; 0 when it did not lead, null when it has not slept. */
  #sleptIn: number | null = null
  /** Another tab was heard of. */
  #company = false

  constructor(options: TabsOptions, face: CourierEvents) {
    const { browser, name, identity } = options
    this.#options = options
    this.#desk = new Desk(face, idIn(identity), () => this.#shown.forget())
    this.#face = this.#desk.face
    this.#candidacy = new Candidacy(browser.locks, name, () => this.#fenced())
    this.rooms = new Promise(resolve => (this.#roomsKnown = resolve))
    this.#database = new Database(browser.indexedDB, name, () => this.#outdate())
    this.#letters = new Letters(this.#database, {
      written: () => (this.#leadership ? this.#letters.collect() : this.#say({ kind: 'letters' })),
      refused: (key, error) => face.refused(key, error),
    })
    this.#shown = new Shown({
      show: message => face.show(message),
      dealt: (message, refused) => this.#ask('dealt', { ...message, body: null }, refused),
      missed: () => face.missed(),
    })
    const seize = (isSilent: () => boolean): Promise<boolean> => this.#seize(isSilent)
    const events = { say: this.#say.bind(this), rest: () => this.#database.rest(), seize }
    this.#following = new Following(browser.page, events, options.askMs)
    this.#unwatch = watchPage(browser.page, {
      sleep: () => this.#sleep(),
      wake: () => this.#wake(),
      sign: () => this.#ask('sign'),
    })
    void this.#look(true)
  }

  get id(): string | null {
    return this.#desk.id
  }

  get frames(): Asking | null {
    if (this.#leadership) return this.#leadership.office.frames
    return this.#place === 'following' && this.#desk.isConnected ? this.#following.frames : null
  }

  get pending(): number {
    return this.#leadership?.office.pending ?? 0
  }

  wake(): void {
    this.#leadership?.office.wake()
  }

  send(letter: Letter): void {
    if (this.#leadership && this.#letters.idle) this.#leadership.office.send(letter)
    else this.#letters.add(letter)
  }

  listen(listening: boolean): void {
    this.#listening = listening
    if (!listening) this.#shown.clear()
    if (this.#leadership) this.#leadership.listen(listening)
    else this.#ask('listen', listening)
  }

  dealt(message: Incoming, refused: string | null): void {
    this.#shown.dealt(message, refused)
  }

  enter(entrance: Entrance): void {
    this.#desk.enter(entrance)
    this.#ask('enter', entrance)
  }

  leave(room: string): void {
    this.#desk.leave(room)
    this.#ask('leave', room)
  }

  roomRecorded(cursor: RoomCursor): void {
    this.#ask('roomRecorded', cursor)
  }

  keepSecret(secret: string): void {
    this.#ask('keepSecret', secret)
  }

  reconnect(): void {
    if (this.#place === 'elsewhere') void this.#lead(++this.#life)
    else this.#ask('reconnect')
  }

  async close(bye: boolean, flushMs: number): Promise<void> {
    this.#unwatch()
    await this.#letters.written(flushMs)
    const leadership = this.#leadership
    this.#place = 'closed'
    await leadership?.close(bye, flushMs)
    this.#leave(false)
    if (!leadership) this.#face.status({ state: 'closed', reason: 'closed', error: new AckdError('closed') })
  }

  /** Finds a place. `fresh`: somebody has just opened this page, so without locks it is the one that leads. */
  async #look(fresh: boolean): Promise<void> {
    const life = ++this.#life
    const { browser, name } = this.#options
    this.#place = 'looking'
    try {
      await this.#database.open()
    } catch (error) {
      if (life === this.#life) this.#goAlone(error)
      return
    }
    if (life !== this.#life) return
    this.#letters.wake()
    this.#channel = new Channel(browser.openChannel(name), this.#tab, (...heard) => this.#heard(...heard))
    if (await this.#candidacy.stand(this.#tab)) {
      this.#hello()
      if (!(await this.#candidacy.win())) return
      this.#following.end()
      return this.#lead(life)
    }
    if (!fresh && life === this.#life) {
      this.#hello()
      await new Promise(resolve => setTimeout(resolve, ANSWER_MS))
    }
    if (life === this.#life) await this.#lead(life)
  }

  async #lead(life: number): Promise<void> {
    const lead = await this.#database.lead().catch((error: unknown) => {
      if (life === this.#life) this.#goAlone(error)
      return null
    })
    if (lead === null || life !== this.#life) return
    if (this.#place === 'following') this.#face.lost()
    if (this.#sleptIn !== null && lead.epoch !== this.#sleptIn + 1) this.#face.missed()
    this.#sleptIn = null
    this.#following.end()
    this.#place = 'leading'
    this.#epoch = lead.epoch
    const keeper = new DatabaseKeeper(this.#database, lead, this.#options.identity, {
      fenced: () => life === this.#life && this.#fenced(),
      failed: error => this.#face.failed(error),
    })
    const leadership = this.#begin(keeper)
    this.#say({ kind: 'lead', ...leadership.state })
    this.#letters.lead(leadership.office, keeper)
  }

  /** No database: this tab has an office of its own, in memory. */
  #goAlone(error: unknown): void {
    this.#leave(false)
    this.#place = 'alone'
    this.#face.failed(new AckdError('not_kept', 'messages live only as long as this tab', error))
    const keeper = identityKeeper(this.#options.identity, failure => this.#face.failed(failure))
    this.#letters.alone(this.#begin(keeper).office)
  }

  #begin(keeper: Keeper): Leadership {
    const { url, office: options, identity } = this.#options
    const office = { ...options, identity, keeper }
    this.#leadership = new Leadership(
      { url, office, tab: this.#tab, epoch: this.#epoch, candidacy: this.#candidacy },
      {
        tell: (call, to) => {
          // That this tab is closed is no matter of the others.
          const isOwn = this.#place === 'closed' && call[0] === 'status'
          if (this.#company && !isOwn) this.#say({ kind: 'told', call }, to)
        },
        face: this.#face,
        show: message => this.#shown.take(message),
        settled: () => this.#letters.settled(),
        look: () => this.#letters.look(),
      },
    )
    this.#leadership.listen(this.#listening)
    for (const entrance of this.#desk.entrances) this.#ask('enter', entrance)
    this.#roomsKnown(this.#leadership.office.rooms)
    return this.#leadership
  }

  #heard(from: string, word: Word, toAll: boolean): void {
    this.#company = true
    this.#following.heard(from)
    switch (word.kind) {
      case 'hello':
        if (this.#leadership) this.#say({ kind: 'lead', ...this.#leadership.state }, from)
        return this.#leadership?.follow(from, word.listening)
      case 'lead':
        return this.#follow(from, word, toAll)
      case 'told':
        return this.#told(from, word.call)
      case 'asked':
        return this.#leadership?.asked(from, word.call)
      case 'letters':
        return this.#letters.collect()
      case 'alive':
      case 'knock':
        if (this.#leadership && word.kind === 'knock') this.#say({ kind: 'alive' }, from)
        return
      case 'bye':
        this.#leadership?.bye(from)
        if (from === this.#following.leader) this.#orphaned()
    }
  }

  #follow(from: string, lead: Extract<Word, { kind: 'lead' }>, toAll: boolean): void {
    if (lead.epoch < this.#epoch || this.#place === 'elsewhere') return
    if (!this.#candidacy.locked) return this.#goElsewhere()
    if (this.#leadership) return
    if (from !== this.#following.leader && this.#place === 'following') this.#face.lost()
    if (this.#sleptIn !== null) this.#face.missed()
    this.#sleptIn = null
    this.#place = 'following'
    this.#following.begin(from, this.#candidacy.locked)
    this.#epoch = lead.epoch
    this.#roomsKnown(lead.rooms)
    for (const entrance of this.#desk.entrances) this.#ask('enter', entrance)
    if (lead.terms) this.#face.welcomed(lead.terms)
    this.#face.status(lead.status)
    if (toAll) this.#hello()
  }

  #told(from: string, call: Told): void {
    const [name] = call
    if (from !== this.#following.leader && (name === 'status' || name === 'welcomed' || name === 'lost')) return
    if (name === 'status') return this.#face.status(call[1])
    if (name === 'show') {
      if (this.#listening && this.#place === 'following') this.#shown.take(call[1])
    } else if (this.#place !== 'elsewhere' || name === 'settled' || name === 'refused') {
      perform(this.#face, call)
    }
  }

  #hello(): void {
    this.#say({ kind: 'hello', listening: this.#listening })
  }

  /** Of whoever leads; without anybody it is lost, and asked again where that matters. */
  #ask(...call: Asked): void {
    if (this.#leadership) this.#leadership.asked(this.#tab, call)
    else if (this.#place === 'following') this.#following.ask(call)
  }

  #say(word: Word, to: string | null = null): void {
    this.#channel?.say(word, to)
  }

  /** The leader is gone; another one will say so. */
  #orphaned(): void {
    this.#following.end()
    this.#place = 'looking'
    this.#desk.lose({ state: 'connecting' })
  }

  /** Another tab leads although this one thought that it did. */
  #fenced(): void {
    if (this.#place === 'closed') return
    if (!this.#candidacy.locked) return this.#goElsewhere()
    this.#leave(false)
    this.#sleptIn = 0
    this.#desk.lose({ state: 'connecting' })
    void this.#look(false)
  }

  #seize(isSilent: () => boolean): Promise<boolean> {
    const life = this.#life
    return this.#candidacy.seize(isSilent, () => this.#lead(life))
  }

  /** A page with a later version of the library has, or wants, the database. */
  #outdate(): void {
    if (this.#place === 'closed') return
    this.#unwatch()
    this.#leave(true)
    this.#letters.wake()
    this.#place = 'closed'
    this.#desk.lose({ state: 'closed', reason: 'outdated', error: new AckdError('outdated') })
  }

  #goElsewhere(): void {
    this.#life++
    this.#abandon()
    this.#letters.leave(false)
    this.#letters.wake()
    this.#place = 'elsewhere'
    this.#desk.lose({ state: 'closed', reason: 'replaced', error: new AckdError('replaced', 'by another tab') })
  }

  #sleep(): void {
    if (this.#place === 'alone') return this.#leadership?.office.suspend()
    if (this.#place === 'asleep') return
    this.#sleptIn = this.#place === 'leading' ? this.#epoch : 0
    this.#leave(this.#place !== 'elsewhere')
    this.#place = 'asleep'
    this.#desk.lose({ state: 'connecting' })
  }

  #wake(): void {
    if (this.#place === 'alone') return this.#leadership?.office.resume()
    if (this.#place === 'asleep') void this.#look(false)
  }

  /** Lets everything go. `hurry`: the page can be gone at once, so what is not asked for now does not happen. */
  #leave(hurry: boolean): void {
    this.#life++
    this.#abandon()
    this.#letters.leave(hurry)
    this.#say({ kind: 'bye' })
    this.#channel?.close()
    this.#channel = null
    this.#database.close()
    this.#candidacy.resign()
  }

  #abandon(): void {
    const leadership = this.#leadership
    this.#leadership = null
    this.#following.end()
    leadership?.abandon()
  }
}
