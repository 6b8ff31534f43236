/**
 * What the processes on one Redis tell each other.
 *
 * Each room has a channel, which a process hears while it has something to do with the room. What is told on it begins with a letter: `a`, an
 * append (who appended, the epoch, the last offset) · `d`, the room was deleted · `r`, a report has changed the roll · `s`, a signal (at whose
 * process, with a comma and an epoch of the room behind it, from whom, 0 for MessagePack or 1 for text, the body).
 *
 * Each process has a channel, too: `w`, mailboxes with something new (ids) · `e`, a client has gone elsewhere (its id, its token) · `s`, a signal to
 * a client (its id, from whom, 0 or 1, the body) · `d`, messages of a client have ended in mailboxes (its id, then of each stream the outbox and the
 * recipient). Who puts something into a mailbox knows from the answer at which process its client is; who signals, or takes something out
 * of one, does not know where the other end is, so a script looks. A channel for each client would cost Redis memory for every connection that is idle.
 */
import type { Body } from '../../protocol/frames.ts'
import { isRoom } from '../../protocol/names.ts'
import type { Listed, Present, RollAnswer, RollNews, RollReport } from '../../protocol/rolls.ts'
import type { Keys } from './keys.ts'
import { NODES_TOLD, type Hearing, type Neighbours, type Said } from '../neighbours.ts'
import { EndedStreams, readEnded } from './ended.ts'
import type { Leases } from './leases.ts'
import type { Argument, RedisLink } from './link.ts'
import { RedisListener } from './listener.ts'
import { listOf, numberOf, textOf } from './records.ts'

/** Calls without an answer from which on signals are dropped. */
const BUSY = 1_000
/** ms for which what a process says of itself is kept, as long as its lease may be. */
const SAID_MS = 15_000

export class RedisNeighbours implements Neighbours {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #leases: Leases
  readonly #now: () => string
  readonly #listener: RedisListener
  #hearing: Hearing | null = null
  /** Under which this process binds clients. */
  #node = ''
  /** By process: the mailboxes of which it is told at the end of the turn. */
  readonly #wakes = new Map<string, Set<string>>()
  readonly #ended: EndedStreams

  constructor(link: RedisLink, keys: Keys, leases: Leases, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#leases = leases
    this.#now = now
    this.#ended = new EndedStreams(
      () => link.pending,
      (from, message) => this.#tellClient(from, Buffer.from(message)),
    )
    this.#listener = new RedisListener(() => link.another(), {
      heard: (channel, message) => this.#heard(keys.roomOf(channel), message),
      missed: channel => this.#missed(channel),
    })
    // Somebody has died: those who were there are to be taken off.
    leases.onLapse = () => this.#hearing?.missed(null)
  }

  listen(node: string, hearing: Hearing): void {
    this.#node = node
    this.#hearing = hearing
    this.#listener.follow(this.#keys.nodeChannel(node))
  }

  wake(node: string, id: string): void {
    const ids = this.#wakes.get(node)
    if (ids !== undefined) return void ids.add(id)
    this.#wakes.set(node, new Set([id]))
    if (this.#wakes.size === 1) setImmediate(() => this.#tellWakes())
  }

  settled(stream: string, recipient: string): void {
    // Then there is nobody to be told, and nothing is to be looked up.
    if (!this.#leases.isAlone) this.#ended.add(stream, recipient)
  }

  evict(node: string, id: string, token: string): void {
    this.#tell(node, `e${id} ${token}`)
  }

  follow(room: string): void {
    this.#listener.follow(this.#keys.channel(room))
  }

  unfollow(room: string): void {
    this.#listener.unfollow(this.#keys.channel(room))
  }

  async report(room: string, report: RollReport): Promise<RollAnswer | null> {
    const reply = await this.#report(room, report, [])
    if (reply === null) return null
    const leases = listOf(listOf(reply)[2]).map(textOf)
    const living = await Promise.all(leases.map(lease => this.#leases.lives(lease)))
    const dead = leases.filter((_, index) => living[index] === false)
    if (dead.length === 0) return this.#read(reply)
    // Who comes and goes was taken in already, and is again: that changes nothing.
    const again = await this.#report(room, report, dead)
    return again === null ? null : this.#read(again)
  }

  async roll(room: string, after: string, limit: number): Promise<readonly Present[]> {
    const [key] = this.#keys.roll(room)
    const all = listOf(await this.#link.run('readRoll', [key])).map(textOf)
    const rest = readRoll(all, this.#leases.own).filter(({ id }) => id > after)
    return rest.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit)
  }

  say(text: string): void {
    this.#link.send('set', this.#keys.said(this.#leases.own), text, 'PX', SAID_MS).catch(() => {})
  }

  async others(): Promise<{ readonly said: readonly Said[]; readonly unheard: number }> {
    const leases = await this.#leases.others()
    const said = await Promise.all(leases.slice(0, NODES_TOLD).map(lease => this.#said(lease)))
    const known = said.filter(one => one !== null)
    return { said: known, unheard: leases.length - known.length }
  }

  signal(target: string, from: string, body: Body, epoch: string): void {
    if (this.#link.pending > BUSY) return
    const forRoom = isRoom(target)
    const head = Buffer.from(`s${forRoom ? `${this.#leases.own},${epoch}` : target} ${from} ${body.text ? 1 : 0} `)
    const message = Buffer.concat([head, body.bytes.subarray(body.start, body.end)])
    if (!forRoom) return this.#tellClient(target, message)
    this.#link.run('signalRoom', [this.#keys.room(target)[0]], this.#keys.channel(target), message).catch(() => {})
  }

  close(): void {
    this.#ended.close()
    this.#listener.close()
  }

  /** By the time that Redis keeps it still, it is known how old it is, without a clock of anybody. */
  async #said(lease: string): Promise<Said | null> {
    const key = this.#keys.said(lease)
    const [text, left] = await Promise.all([this.#link.send('get', key), this.#link.send('pttl', key)])
    const ms = numberOf(left)
    return text === null || ms < 0 ? null : { text: textOf(text), ageMs: Math.max(0, SAID_MS - ms) }
  }

  #report(room: string, { epoch, coming, going, seen }: RollReport, dead: readonly string[]): Promise<unknown> {
    const [record] = this.#keys.room(room)
    const args: Argument[] = [this.#leases.own, String(seen), this.#keys.channel(room)]
    args.push(dead.map(lease => `${lease} `).join(''), coming.length, ...coming.flatMap(({ id, name }) => [id, name]))
    return this.#link.run('report', [record, ...this.#keys.roll(room)], this.#now(), epoch, ...args, ...going)
  }

  #read(reply: unknown): RollAnswer {
    const [mark, stayed, , everybody] = listOf(reply)
    return {
      mark: Number(textOf(mark)),
      stayed: listOf(stayed).map(textOf),
      everybody: Array.isArray(everybody) ? readRoll(everybody.map(textOf), this.#leases.own) : null,
    }
  }

  #tellWakes(): void {
    for (const [node, ids] of this.#wakes) this.#tell(node, `w${[...ids].join(' ')}`)
    this.#wakes.clear()
  }

  /** What is lost is found by looking. */
  #tell(node: string, message: string): void {
    this.#link.send('publish', this.#keys.nodeChannel(node), message).catch(() => {})
  }

  /** Tells the process at which that client is, if it is at one and that is another. */
  #tellClient(id: string, message: Buffer): void {
    const key = this.#keys.client(id)[2]
    this.#link.run('signal', [key], this.#now(), this.#keys.nodeChannel(''), this.#node, message).catch(() => {})
  }

  /** Of its own channel nothing is missed that it would not find soon: every mailbox is looked into every few seconds. */
  #missed(channel: string | null): void {
    const room = channel === null ? null : this.#keys.roomOf(channel)
    if (channel === null || room !== null) this.#hearing?.missed(room)
  }

  /** Room null: it was told to this process. What has another form is said by another version: it is looked for, or passed over. */
  #heard(room: string | null, message: Buffer): void {
    const hearing = this.#hearing
    if (hearing === null) return
    const kind = String.fromCharCode(message[0] ?? 0)
    const words = wordsOf(message)
    if (room === null) {
      // Only others speak to this process: one that has just come may be known of by that, before the next beat.
      this.#leases.heard()
      return hearOwn(hearing, kind, words, message)
    }
    if (kind === 'd') return hearing.appended(room, null)
    if (kind === 'r') {
      const news = readNews(message.toString('utf8', 1))
      return news === null ? hearing.missed(room) : hearing.reported(room, news)
    }
    const [by = '', second = '', third = ''] = words
    // Versions before this one named no epoch.
    const [lease, epoch = ''] = by.split(',', 2)
    if (lease === this.#leases.own) return
    const last = Number(third)
    if (kind === 's') hearSignal(hearing, room, words, message, epoch)
    else if (kind !== 'a') return
    else if (third !== '' && Number.isSafeInteger(last)) hearing.appended(room, { epoch: second, last })
    else hearing.missed(room)
  }
}

function hearOwn(hearing: Hearing, kind: string, words: readonly string[], message: Buffer): void {
  const [id = '', token] = words
  if (kind === 'w') {
    for (const one of message.toString('latin1', 1).split(' ')) if (one !== '') hearing.woken(one)
  } else if (kind === 'd') {
    readEnded(message.toString('latin1', 1), (stream, recipient) => hearing.settled(stream, recipient))
  } else if (kind === 'e' && token !== undefined) hearing.evicted(id, token)
  else if (kind === 's') hearSignal(hearing, id, words, message, '')
}

function hearSignal(hearing: Hearing, target: string, words: readonly string[], message: Buffer, epoch: string): void {
  const [, from, text] = words
  const start = `s${words.join(' ')} `.length
  if (from !== undefined && text !== undefined && start < message.length)
    hearing.signalled(target, from, { bytes: message, start, end: message.length, text: text === '1' }, epoch)
}

/** The first three words, without the letter; they are ASCII, and what follows may be anything. */
function wordsOf(message: Buffer): readonly string[] {
  return message.toString('latin1', 1, 512).split(' ', 3)
}

function readRoll(texts: readonly string[], own: string): Listed[] {
  const roll: Listed[] = []
  for (let i = 0; i + 1 < texts.length; i += 2) {
    const value = texts[i + 1] ?? ''
    const space = value.indexOf(' ')
    roll.push({ id: texts[i] ?? '', name: value.slice(space + 1), here: value.slice(0, space) === own })
  }
  return roll
}

/** Null: it is none. */
function readNews(json: string): RollNews | null {
  const told = parsed(json)
  if (!Array.isArray(told)) return null
  const [before, mark, ...rest] = told.map(String)
  if (!(Number(before) >= 0 && Number(mark) > 0)) return null
  const changes: [string, string | null][] = []
  for (let i = 0; i + 2 < rest.length; i += 3)
    changes.push([rest[i] ?? '', rest[i + 1] === '+' ? (rest[i + 2] ?? '') : null])
  return { before: Number(before), mark: Number(mark), changes }
}

/** Undefined: it is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
