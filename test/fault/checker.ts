/**
 * The judge: reads a history after everything was healed and has gone quiet, and says which of the promises were broken.
 *
 *   C1 what was receipted was shown, or ended with a word     C2 nothing was shown twice        C3 each stream was shown in order
 *   C4 unaltered, to the right recipient                      C5 nothing was invented           C6 delivered: it was shown before
 *   C7 what nobody receipted, but whose sender lives, was shown too                             C9 how long each recovery took
 *
 * What a killed process may do is what the client library says about it, no more. A recipient that begins again may be shown again
 * what it had not yet written down as dealt with, from the first such message of a stream on. A sender that begins again may
 * have lost what was not in its journal, since nobody was promised anything about that.
 */
import type { HistoryEvent } from './history.ts'

export interface Verdict {
  /** One sentence for each broken promise. */
  readonly wrong: readonly string[]
  readonly sent: number
  readonly surfaced: number
  /** Not shown, and neither ended nor withdrawn: lost, unless they are still on their way. */
  readonly missing: number
  /** Shown again by a process that began again, as it may. */
  readonly shownAgain: number
  /** Sends that were refused. */
  readonly refused: number
  /** Messages that were lost with their sender's process, before they were in its journal. */
  readonly withdrawn: number
  /** ms from the server's being there again to the first message that was shown, for each fault. */
  readonly recoveriesMs: readonly number[]
}

interface Letter {
  readonly sentAt: number
  readonly hash: string
  kept: boolean
  /** Its sender's process was killed before the letter was in the journal. */
  withdrawn: boolean
  promised: boolean
  ended: boolean
  surfaced: boolean
  acked: boolean
}

class Stream {
  readonly letters = new Map<number, Letter>()
  /** The highest k that was shown, and that was written down as dealt with. */
  shown = 0
  acked = 0
}

/** A word that ends a message for good, after which it need not be shown. */
const lastWords = new Set(['expired', 'rejected', 'dead'])
const promises = new Set(['stored', 'delivered'])

export function check(history: readonly HistoryEvent[]): Verdict {
  const judge = new Judge()
  for (const event of history) judge.hear(event)
  return judge.verdict()
}

class Judge {
  readonly #wrong: string[] = []
  readonly #streams = new Map<string, Stream>()
  /** Which stream a body belongs to, to tell the wrong recipient from an invention. */
  readonly #owners = new Map<string, string>()
  #surfaced = 0
  #shownAgain = 0
  #refused = 0
  #backAt: number | null = null
  readonly #recoveriesMs: number[] = []

  hear(event: HistoryEvent): void {
    switch (event.what) {
      case 'start':
        return this.#started(event)
      case 'send':
        return this.#sent(event)
      case 'kept':
        return this.#kept(event)
      case 'receipt':
        return this.#receipted(event)
      case 'surface':
        return this.#shown(event)
      case 'ack':
        return this.#acked(event)
      case 'gap':
        return this.#blame('C1', event, `its recipient was told of a gap: ${event.detail}`)
      case 'ready':
        this.#backAt = event.t
        return
      case 'fault':
      case 'close':
        return
    }
  }

  verdict(): Verdict {
    let sent = 0
    let withdrawn = 0
    let missing = 0
    for (const [name, { letters }] of this.#streams) {
      for (const [k, letter] of letters) {
        sent++
        if (letter.withdrawn) withdrawn++
        if (letter.surfaced || letter.ended || letter.withdrawn) continue
        missing++
        if (letter.promised) this.#wrong.push(`C1: ${name} ${k} was receipted and never shown`)
        else this.#wrong.push(`C7: ${name} ${k} was never shown, though its sender lives`)
      }
    }
    return {
      wrong: this.#wrong,
      sent,
      surfaced: this.#surfaced,
      missing,
      shownAgain: this.#shownAgain,
      refused: this.#refused,
      withdrawn,
      recoveriesMs: this.#recoveriesMs,
    }
  }

  #started({ who }: HistoryEvent): void {
    for (const [name, stream] of this.#streams) {
      const [sender, recipient] = name.split('>')
      if (recipient === who) stream.shown = stream.acked
      if (sender !== who) continue
      for (const letter of stream.letters.values()) {
        if (!letter.kept && !letter.promised && !letter.ended) letter.withdrawn = true
      }
    }
  }

  #sent(event: HistoryEvent): void {
    const { stream: name, k, hash, t } = event
    const { letters } = this.#stream(name)
    if (letters.has(k)) return this.#blame('history', event, 'was sent twice under one number')
    this.#owners.set(hash, name)
    const open = { kept: false, withdrawn: false, promised: false, ended: false, surfaced: false, acked: false }
    letters.set(k, { sentAt: t, hash, ...open })
  }

  #kept(event: HistoryEvent): void {
    const letter = this.#letter(event)
    if (letter) letter.kept = true
    else this.#blame('C5', event, 'was kept and never sent')
  }

  #receipted(event: HistoryEvent): void {
    const letter = this.#letter(event)
    const { detail } = event
    if (!letter) return this.#blame('C5', event, `was told ${detail} and never sent`)
    if (promises.has(detail)) letter.promised = true
    else letter.ended = true
    if (!promises.has(detail) && !lastWords.has(detail)) this.#refused++
    if (detail === 'delivered' && !letter.surfaced) this.#blame('C6', event, 'was told delivered before it was shown')
  }

  #shown(event: HistoryEvent): void {
    const { who, k, hash, t } = event
    const letter = this.#letter(event)
    if (event.stream.split('>')[1] !== who) return this.#blame('C4', event, `was shown to ${who}`)
    if (!letter) return this.#unknown(event)
    if (letter.hash !== hash) return this.#blame('C4', event, 'was altered')
    if (t < letter.sentAt) return this.#blame('C5', event, 'was shown before it was sent')
    const stream = this.#stream(event.stream)
    if (letter.surfaced && (letter.acked || k <= stream.shown)) this.#blame('C2', event, 'was shown twice')
    else if (k <= stream.shown) this.#blame('C3', event, `was shown after ${stream.shown}`)
    else if (letter.surfaced) this.#shownAgain++
    if (!letter.surfaced) this.#surfaced++
    letter.surfaced = true
    // It was taken after all: its sender's process ended before it could write that down.
    letter.withdrawn = false
    stream.shown = Math.max(stream.shown, k)
    this.#recovered(t)
  }

  #unknown(event: HistoryEvent): void {
    const owner = this.#owners.get(event.hash)
    if (owner === undefined) this.#blame('C5', event, 'was shown and never sent')
    else this.#blame('C4', event, `was shown, and belongs to ${owner}`)
  }

  #acked(event: HistoryEvent): void {
    const letter = this.#letter(event)
    if (letter?.surfaced !== true) return this.#blame('C6', event, 'was acked and not shown')
    letter.acked = true
    const stream = this.#stream(event.stream)
    stream.acked = Math.max(stream.acked, event.k)
  }

  #recovered(t: number): void {
    if (this.#backAt === null) return
    this.#recoveriesMs.push((t - this.#backAt) / 1_000)
    this.#backAt = null
  }

  #blame(promise: string, { stream, k }: HistoryEvent, what: string): void {
    this.#wrong.push(`${promise}: ${stream} ${k} ${what}`)
  }

  #letter({ stream, k }: HistoryEvent): Letter | undefined {
    return this.#streams.get(stream)?.letters.get(k)
  }

  #stream(name: string): Stream {
    let stream = this.#streams.get(name)
    if (stream === undefined) this.#streams.set(name, (stream = new Stream()))
    return stream
  }
}
