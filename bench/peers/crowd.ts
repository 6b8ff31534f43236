/**
 * Clients of one system, in pairs that write to each other, and the loads that they make.
 *
 * In the closed loop every client keeps `window` messages unsettled. At a fixed rate the messages are due by the clock, and
 * their times count from when they were due, so that a server that stalls is not asked less.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Party, PartyEvents } from './party.ts'
import { Times, type Quantiles } from './quantiles.ts'
import type { Service } from './service.ts'
import type { System } from './systems.ts'

export interface Figures {
  readonly perSecond: number
  /** µs of the server's CPU per message. */
  readonly cpu: number
  /** µs of the load's own. */
  readonly load: number
  /** The share of its core that the server used. */
  readonly busy: number
  /** From when a message was sent, or due, until it came, and until its receipt did. */
  readonly delivery: Quantiles
  readonly receipt: Quantiles
  /** Bytes of the server's memory at the end. */
  readonly memory: number
}

/** Unsettled messages of one client at a fixed rate, at most. */
const MOST_UNSETTLED = 64
/** Connections that are being opened at the same time: less than any of the systems lets wait for being accepted. */
const AT_ONCE = 90
const PATIENCE_MS = 30_000
/** For all of a crowd to be let in. */
const ENTRY_MS = 90_000

/** Whom a crowd consists of. */
export interface Company {
  /** All but the first are in the room. */
  readonly room?: boolean
  /** Of those who are known while they are away. */
  readonly names?: readonly string[]
  /** Above those of whoever else is there. */
  readonly firstSeat?: number
}

type Work = 'none' | 'window' | 'rate' | 'room' | 'errands'

export class Crowd implements PartyEvents {
  readonly #service: Service
  readonly #parties: Party[] = []
  readonly #unsettled: number[] = []
  /** By client, when its unsettled messages were due, the oldest first. */
  readonly #due: number[][] = []
  /** By client, whom it still has to write to, and how many of them are done. */
  readonly #errands: string[][] = []
  readonly #done: number[] = []
  readonly #delivery = new Times()
  readonly #receipt = new Times()
  #work: Work = 'none'
  #window = 0
  #timed = false
  settledInAll = 0
  receivedInAll = 0
  #trouble: string | null = null

  private constructor(service: Service) {
    this.#service = service
  }

  /** Opens connections a few at a time. Rejects when one is not there in time. */
  static async open(
    system: System,
    service: Service,
    count: number,
    { room = false, names = [], firstSeat = 0 }: Company = {},
  ): Promise<Crowd> {
    const crowd = new Crowd(service)
    let next = 0
    const openOn = async (): Promise<void> => {
      while (next < count) {
        const number = next++
        // The first speaks to the room from outside, where the system lets it.
        const guest = { number, seat: firstSeat + number, name: names[number] ?? null }
        crowd.#parties[number] = await system.connect(service, { ...guest, events: crowd, room: room && number > 0 })
      }
    }
    await crowd.#within(Promise.all(Array.from({ length: AT_ONCE }, openOn)), 'connections that are not let in')
    for (let i = 0; i < count; i++) {
      crowd.#unsettled.push(0)
      crowd.#due.push([])
      crowd.#errands.push([])
      crowd.#done.push(0)
    }
    return crowd
  }

  get parties(): readonly Party[] {
    return this.#parties
  }

  /** Has each client write to its partner. */
  pair(): void {
    for (const [i, party] of this.#parties.entries()) party.aim((this.#parties[i ^ 1] ?? party).address)
  }

  /** As fast as it goes, with `window` unsettled messages per client. `timed`: how long each took is noted, which costs the load a little. */
  async closedLoop(window: number, warmUpMs: number, forMs: number, timed: boolean): Promise<Figures> {
    this.#begin(window)
    await this.sleep(warmUpMs)
    this.#timed = timed
    const figures = await this.measure(forMs)
    await this.#settle()
    return figures
  }

  /** Until what serves it is compiled as it will be: so many messages, or as many as come within `mostMs`. */
  async warmUp(messages: number, mostMs: number): Promise<void> {
    const done = this.settledInAll + messages
    const end = performance.now() + mostMs
    this.#begin(16)
    while (this.settledInAll < done && performance.now() < end) await this.sleep(20)
    await this.#settle()
  }

  async fixedRate(perSecond: number, warmUpMs: number, forMs: number): Promise<Figures> {
    this.#work = 'rate'
    this.#timed = true
    this.#pace(perSecond)
    await this.sleep(warmUpMs)
    const figures = await this.measure(forMs)
    await this.#settle()
    return figures
  }

  /** The first client publishes to the room of the others, with so many messages on their way. The figures are those of a delivery. */
  async fanOut(ahead: number, warmUpMs: number, forMs: number): Promise<Figures> {
    this.#work = 'room'
    for (let i = 0; i < ahead; i++) this.#publish()
    await this.sleep(warmUpMs)
    const figures = await this.measure(forMs, () => this.receivedInAll)
    this.#work = 'none'
    await this.sleep(100)
    return figures
  }

  /** Has every client send to its share of the targets, `each` messages to one, and waits for all receipts. */
  async runErrands(targets: readonly string[], each: number): Promise<number> {
    for (let round = 0; round < each; round++) {
      for (const [i, target] of targets.entries()) this.#errands[i % this.#parties.length]!.push(target)
    }
    const done = this.settledInAll + targets.length * each
    this.#work = 'errands'
    for (const [i, party] of this.#parties.entries()) {
      this.#runOn(i)
      party.flush()
    }
    await this.until(() => this.settledInAll >= done, 'messages without a receipt')
    this.#work = 'none'
    return targets.length * each
  }

  async leave(): Promise<void> {
    this.#work = 'none'
    await Promise.all(this.#parties.map(party => party.leave()))
  }

  // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  received(_party: number, tag: number): void {
    this.receivedInAll++
    // Not at once: this is the turn of another party.
    if (this.#work === 'room' && this.receivedInAll % (this.#parties.length - 1) === 0) setImmediate(this.#publish)
    // What was sent before times were noted has no tag.
    if (this.#timed && tag > 0) this.#delivery.note(performance.now() - tag)
  }

  settled(number: number, count: number): void {
    this.settledInAll += count
    this.#unsettled[number] = this.#unsettled[number]! - count
    if (this.#timed) this.#noteReceipts(number, count)
    if (this.#work === 'window') this.#refill(number)
    else if (this.#work === 'errands') this.#runOn(number)
  }

  trouble(text: string): void {
    this.#trouble ??= text
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(window: number): void {
    this.#window = window
    this.#work = 'window'
    this.#timed = false
    for (const [i, party] of this.#parties.entries()) {
      this.#refill(i)
      party.flush()
    }
  }

  #refill(number: number): void {
    const party = this.#parties[number]!
    const now = this.#timed ? performance.now() : 0
    for (let unsettled = this.#unsettled[number]!; unsettled < this.#window; unsettled++) {
      party.send(now)
      if (this.#timed) this.#due[number]!.push(now)
    }
    this.#unsettled[number] = this.#window
  }

  readonly #publish = (): void => {
    if (this.#work !== 'room') return
    this.#parties[0]!.publish(0)
    this.#parties[0]!.flush()
  }

  #runOn(number: number): void {
    const party = this.#parties[number]!
    const errands = this.#errands[number]!
    while (this.#unsettled[number]! < MOST_UNSETTLED) {
      const target = errands[this.#done[number]!]
      if (target === undefined) return
      this.#done[number] = this.#done[number]! + 1
      this.#unsettled[number] = this.#unsettled[number]! + 1
      party.aim(target)
      party.send(0)
    }
  }

  #noteReceipts(number: number, count: number): void {
    const due = this.#due[number]!
    const now = performance.now()
    // What was sent before times were noted has none, and was sent first.
    const untimed = Math.max(0, this.#unsettled[number]! + count - due.length)
    for (const at of due.splice(0, Math.max(0, count - untimed))) this.#receipt.note(now - at)
  }

  /** Sends what is due, round and round. A client with a full window is passed over until it has room. */
  #pace(perSecond: number): void {
    const start = performance.now()
    let sent = 0
    const turn = (): void => {
      if (this.#work !== 'rate') return
      const due = Math.floor(((performance.now() - start) / 1000) * perSecond)
      for (let tried = 0; sent < due && tried < this.#parties.length; tried++) {
        const number = (sent + tried) % this.#parties.length
        if (this.#unsettled[number]! >= MOST_UNSETTLED) continue
        this.#sendDue(number, start + (sent / perSecond) * 1000)
        sent++
        tried = -1
      }
      setImmediate(turn)
    }
    turn()
  }

  #sendDue(number: number, at: number): void {
    this.#unsettled[number] = this.#unsettled[number]! + 1
    this.#due[number]!.push(at)
    const party = this.#parties[number]!
    party.send(at)
    party.flush()
  }

  async measure(forMs: number, count: () => number = () => this.settledInAll): Promise<Figures> {
    this.#delivery.clear()
    this.#receipt.clear()
    return this.meter(async () => {
      const from = count()
      await this.sleep(forMs)
      return count() - from
    })
  }

  /** What the messages that `work` brings about cost; `after` belongs to the cost and not to the time. */
  async meter(work: () => Promise<number>, after: () => Promise<void> = () => Promise.resolve()): Promise<Figures> {
    const cpu = this.#service.cpu()
    const load = process.cpuUsage()
    const start = performance.now()
    const messages = await work()
    const ms = performance.now() - start
    await after()
    const spent = (this.#service.cpu() - cpu) / 1000
    const { user, system } = process.cpuUsage(load)
    if (messages === 0) throw new Error('no message got through')
    return {
      perSecond: Math.round((messages / ms) * 1000),
      cpu: spent / messages,
      load: (user + system) / messages,
      busy: spent / 1000 / ms,
      delivery: this.#delivery.quantiles(),
      receipt: this.#receipt.quantiles(),
      memory: this.#service.memory(),
    }
  }

  async #settle(): Promise<void> {
    this.#work = 'none'
    await this.until(() => this.#unsettled.every(unsettled => unsettled === 0), 'messages without a receipt')
    this.#timed = false
    for (const due of this.#due) due.length = 0
  }

  async until(done: () => boolean, otherwise: string, patienceMs = PATIENCE_MS): Promise<void> {
    const end = performance.now() + patienceMs
    while (!done()) {
      if (performance.now() > end) throw new Error(`${otherwise} after ${patienceMs / 1000} s`)
      await this.sleep(5)
    }
  }

  /** Throws what has gone wrong meanwhile. */
  async sleep(ms: number): Promise<void> {
    await sleep(ms)
    const wrong = this.#trouble ?? this.#service.ended
    if (wrong !== null) throw new Error(wrong)
  }

  async #within<T>(work: Promise<T>, otherwise: string): Promise<T> {
    let done = false
    const watch = this.until(() => done, otherwise, ENTRY_MS)
    try {
      return await Promise.race([work, watch.then(() => work)])
    } finally {
      done = true
    }
  }
}
