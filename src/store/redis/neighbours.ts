/**
 * What the processes on one Redis know of each other's rooms.
 *
 * Each room has a channel, which a process hears while it has something to do with the room. What is told on it begins with a letter: `a`, an
 * append (who appended, the epoch, the last offset) · `d`, the room was deleted · `r`, a report has changed the roll · `s`, a signal (at whose
 * process, from whom, 0 for MessagePack or 1 for text, the body).
 */
import type { Body } from '../../protocol/frames.ts'
import type { Listed, RollAnswer, RollNews, RollReport } from '../../protocol/rolls.ts'
import type { Keys } from './keys.ts'
import type { Hearing, Neighbours } from '../neighbours.ts'
import type { Leases } from './leases.ts'
import type { Argument, RedisLink } from './link.ts'
import { RedisListener } from './listener.ts'
import { listOf, textOf } from './records.ts'

/** Calls without an answer from which on signals are dropped. */
const BUSY = 1_000

export class RedisNeighbours implements Neighbours {
  readonly #link: RedisLink
  readonly #keys: Keys
  readonly #leases: Leases
  readonly #now: () => string
  readonly #listener: RedisListener
  #hearing: Hearing | null = null

  constructor(link: RedisLink, keys: Keys, leases: Leases, now: () => string) {
    this.#link = link
    this.#keys = keys
    this.#leases = leases
    this.#now = now
    this.#listener = new RedisListener(() => link.another(), {
      heard: (channel, message) => this.#heard(keys.roomOf(channel), message),
      missed: channel => this.#hearing?.missed(channel === null ? null : keys.roomOf(channel)),
    })
    // Somebody has died: those who were there are to be taken off.
    leases.onLapse = () => this.#hearing?.missed(null)
  }

  listen(hearing: Hearing): void {
    this.#hearing = hearing
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

  signal(room: string, from: string, body: Body): void {
    if (this.#link.pending > BUSY) return
    const head = Buffer.from(`s${this.#leases.own} ${from} ${body.text ? 1 : 0} `)
    const message = Buffer.concat([head, body.bytes.subarray(body.start, body.end)])
    this.#link.send('publish', this.#keys.channel(room), message).catch(() => {})
  }

  close(): void {
    this.#listener.close()
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

  #heard(room: string | null, message: Buffer): void {
    const hearing = this.#hearing
    if (room === null || hearing === null) return
    const kind = String.fromCharCode(message[0] ?? 0)
    if (kind === 'd') return hearing.appended(room, null)
    if (kind === 'r') return hearing.reported(room, readNews(message.toString('utf8', 1)))
    const [lease, second = '', third = ''] = wordsOf(message)
    if (lease === this.#leases.own) return
    if (kind === 'a') return hearing.appended(room, { epoch: second, last: Number(third) })
    const start = `s${lease} ${second} ${third} `.length
    hearing.signalled(room, second, { bytes: message, start, end: message.length, text: third === '1' })
  }
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

function readNews(json: string): RollNews {
  const [before, mark, ...rest] = listOf(JSON.parse(json)).map(String)
  const changes: [string, string | null][] = []
  for (let i = 0; i + 2 < rest.length; i += 3)
    changes.push([rest[i] ?? '', rest[i + 1] === '+' ? (rest[i + 2] ?? '') : null])
  return { before: Number(before), mark: Number(mark), changes }
}
