/** A client of the simulated world: the production outbox and inbox, a handler that is sometimes slow, and a shell around them that reconnects. */
import { Inbox, type Cursor, type Incoming } from '../../src/client/inbox.ts'
import { Outbox } from '../../src/client/outbox.ts'
import type { Outcome, OutboxSnapshot, Outgoing } from '../../src/client/outgoing.ts'
import { ordinary, type Rights } from '../../src/core/rights.ts'
import type { CloseName, EndReason, ErrorCode } from '../../src/protocol/errors.ts'
import type { Ref, SyncReply, WelcomeOptions } from '../../src/protocol/frames.ts'
import { toBody, toLetter } from './letters.ts'
import { JOIN, MEMBERS, Reader, ROOM } from './reader.ts'
import { Wire, type WireEvents } from './wire.ts'
import type { World } from './world.ts'

const encoder = new TextEncoder()
/** ms without a word after which a client gives a connection up; the servers of this world do not ping. */
const WELCOME_PATIENCE_MS = 4_000

export class Person {
  readonly index: number
  readonly written = new Map<string, number>()
  /** By what was written to the room: an epoch of the one that it was in then; '' for who had not been in it yet. */
  readonly saidIn = new Map<string, string>()
  wire: Wire | null = null
  id: string | null = null
  retired = false
  readonly #world: World
  /** In worlds with a room. */
  readonly reader: Reader | null
  /** One after the other is used, each over connections of its own, as by tabs that take turns. */
  #outboxes: readonly Outbox[]
  #turn = 0
  /** What it may do, as the token says with which it comes. */
  #rights = ordinary
  #inbox: Inbox
  #secret = ''
  #stalledUntil = 0
  #dueAt = Infinity
  #flushPlanned = false
  #backoff = 0
  /** Counts its processes; a handler dies with its own. */
  #life = 0

  constructor(world: World, index: number) {
    this.#world = world
    this.index = index
    this.reader = world.scenario.room ? new Reader(world, `p${index}`) : null
    this.#outboxes = Array.from({ length: world.scenario.outboxes }, () => this.#createOutbox())
    this.#inbox = this.#createInbox()
  }

  get name(): string {
    return `p${this.index}`
  }

  /** Everything is written, and nothing is open. */
  get done(): boolean {
    const { targets, messages, room, outboxes } = this.#world.scenario
    const written = [...this.written.values()].reduce((sum, count) => sum + count, 0)
    return written === (targets * outboxes + Number(room)) * messages && this.#outboxes.every(({ open }) => open === 0)
  }

  get #outbox(): Outbox {
    return this.#outboxes[this.#turn]!
  }

  /** What its outboxes hold: at the end, what they were told to be stored, and no more; of it, they may ask. */
  get untold(): number {
    return this.#outboxes.reduce((sum, { count }) => sum + count, 0)
  }

  start(): void {
    this.#inbox.start()
    this.#connect()
    this.#write()
    this.#keepTime()
    if (this.#outboxes.length > 1) this.#takeTurns()
  }

  /** The client opens another connection and forgets this one, whose server hears of that late. */
  abandon(): void {
    this.#leave(true)
  }

  /** It leaves cleanly, whatever is on its way, and comes back. */
  bye(): void {
    this.wire?.bye()
    this.#lost()
  }

  /** From now on its tokens say that it may do that. */
  entitle(rights: Rights): void {
    this.#rights = rights
    const { id } = this
    if (id !== null) this.wire?.tell(hub => hub.session(id)?.entitle(rights))
  }

  /** Its process is killed. Another one goes on with what the directory holds; what was with the handler comes again. */
  restart(): void {
    this.#life++
    this.#world.history.restarted(this.name)
    this.#leave(true)
    this.#outboxes = this.#outboxes.map(outbox => this.#createOutbox(outbox.snapshot()))
    this.#inbox = this.#createInbox(this.#inbox.snapshot())
    this.#inbox.start()
  }

  /** Its handler takes that long, from now on. */
  stall(ms: number): void {
    this.#stalledUntil = this.#world.now + ms
  }

  /** It leaves for good as soon as everything that it wrote has arrived; now and then its node is killed just then. */
  retire(): void {
    const { random, schedule } = this.#world
    // What a failover has lost is offered again by who has written it, and by nobody else.
    if (!this.done || !this.#world.hasAllOf(this)) return schedule.after(500, () => this.retire())
    this.retired = true
    const node = random.chance(0.5) ? this.wire?.node : undefined
    this.#leave(random.chance(0.5))
    node?.kill(random.between(200, 3_000))
  }

  #createOutbox(restore?: OutboxSnapshot): Outbox {
    const { random, scenario } = this.#world
    return new Outbox(
      {
        settled: (message, outcome) => this.#settled(message, outcome),
        changed: () => {},
        reconnect: () => this.#leave(false),
      },
      { newName: () => random.word(12), resyncMs: scenario.fair ? Infinity : 4_000, ...(restore && { restore }) },
    )
  }

  #createInbox(restore: readonly Cursor[] = []): Inbox {
    const { history } = this.#world
    return new Inbox(
      {
        show: message => this.#show(message),
        gap: (_from, _outbox, _first, _last, reason) => {
          if (reason === 'missing') history.gaps++
        },
        recorded: () => {},
        reconnect: () => this.#leave(false),
      },
      { restore },
    )
  }

  // ── connection ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #connect(): void {
    if (this.retired) return
    const { random, schedule, nodes, scenario } = this.#world
    const node = random.pick(nodes.filter(({ up }) => up))
    if (node === undefined) return schedule.after(100, () => this.#connect())
    const secretHash = this.id === null ? null : encoder.encode(this.#secret)
    if (scenario.outboxes > 1) this.#turn = this.#nextTurn()
    const attempt = this.#outbox.nextAttempt()
    const outbox = this.#outbox.name
    const greeting = {
      id: this.id,
      secretHash,
      nonce: random.word(12),
      outbox,
      numbered: true,
      attempt,
      window: scenario.rough ? random.between(1, scenario.window) : scenario.window,
      name: '',
      rights: this.#rights,
    }
    const wire: Wire = new Wire(
      this.#world,
      node,
      this.#events(() => this.wire === wire),
      greeting,
    )
    this.wire = wire
    let welcomed = false
    this.#welcomed = () => (welcomed = true)
    schedule.after(WELCOME_PATIENCE_MS, () => {
      if (this.wire === wire && !welcomed) this.#leave(false)
    })
  }

  #welcomed: () => void = () => {}

  /** Now and then the other one takes over, and always when it alone has something to send. */
  #nextTurn(): number {
    const other = (this.#turn + 1) % this.#outboxes.length
    if (this.#world.faulty && this.#world.random.chance(0.5)) return this.#turn
    return this.#outbox.open === 0 || this.#outboxes[other]?.open !== 0 ? other : this.#turn
  }

  /** Lets the other outbox have its turn, while the connection of this one may still be there. */
  #takeTurns(): void {
    const { random, schedule } = this.#world
    schedule.after(random.between(200, 2_000), () => {
      if (this.#outbox.open === 0 && this.untold > this.#outbox.count) this.#leave(random.chance(0.5))
      this.#takeTurns()
    })
  }

  #leave(silently: boolean): void {
    if (this.wire === null) return
    const { random, scenario } = this.#world
    if (scenario.rough && !silently && random.chance(0.5)) this.wire.bye()
    else this.wire.hangUp(silently)
    this.#lost()
  }

  #lost(): void {
    if (this.wire === null) return
    this.wire = null
    this.#outbox.closed()
    this.#inbox.closed()
    this.reader?.closed()
    this.#backoff = Math.min(this.#backoff * 2 + 50, 1_000)
    this.#world.schedule.after(this.#world.random.between(10, 50 + this.#backoff), () => {
      if (this.wire === null) this.#connect()
    })
  }

  /** What the server says, as long as this connection is the one that counts. */
  #events(current: () => boolean): WireEvents {
    const heard = (input: (now: number) => void): void => {
      if (!current()) return
      input(this.#world.now)
      this.#plan()
    }
    return {
      welcome: options => heard(now => this.#welcome(options, now)),
      message: (seq, from, outbox, n, time, flags, body) =>
        heard(() => this.#inbox.message(seq, from, outbox, n, time, flags, body)),
      void: (seq, from, outbox, n, reason) => heard(() => this.#inbox.void(seq, from, outbox, n, reason)),
      delivered: (target: string, n: number) => heard(now => this.#outbox.delivered(target, n, now)),
      stored: (target: string, n: number) => heard(now => this.#outbox.stored(target, n, now)),
      ended: (kind: EndReason, target: string, n: number, reason: string) =>
        heard(now => this.#outbox.ended(kind, target, n, reason, now)),
      failed: (target: string, n: number, code: ErrorCode) => heard(now => this.#outbox.failed(target, n, code, now)),
      retry: (target: string, n: number, code: ErrorCode, afterMs: number) =>
        heard(now => this.#outbox.retry(target, n, code, afterMs, now)),
      reply: (ref: Ref, value: unknown) =>
        heard(now => {
          if (ref === JOIN) this.reader?.joined(value as Parameters<Reader['joined']>[0])
          else if (ref === MEMBERS) this.reader?.listed(value as Parameters<Reader['listed']>[0])
          else this.#outbox.synced(String(ref).slice(5), value as SyncReply, now)
        }),
      error: (ref: Ref | null, code: ErrorCode) =>
        heard(now => {
          if (ref === JOIN) this.reader?.refused(code)
          else if (ref !== MEMBERS) this.#outbox.synced(String(ref).slice(5), null, now)
        }),
      close: (name: CloseName) => {
        if (current()) this.#lost()
        if (name === 'bad_secret' || name === 'bad_frame' || name === 'flood') {
          this.#world.history.wrong(`${this.name} was closed with ${name}`)
        }
      },
      gone: () => {
        if (current()) this.#lost()
      },
      room: (_room, offset, _from, _outbox, _n, _time, body) => heard(() => this.reader?.heard(offset, body)),
      members: (_room, event, id) => heard(() => this.reader?.member(event, id, this.id)),
      history: () => {},
      signal: () => {},
      ping: () => {},
      pong: () => {},
      unknown: () => {},
    }
  }

  #welcome(options: WelcomeOptions, now: number): void {
    this.#welcomed()
    this.#backoff = 0
    if (options.secret !== undefined) this.#secret = options.secret
    if (this.id !== null && this.id !== options.id) {
      // A failover took the registration back before anybody could have written to it; later on it is a lost address.
      if (this.#world.history.failovers === 0) this.#world.history.wrong(`${this.name} lost its id`)
    }
    this.id = options.id
    const wire = this.wire
    if (wire === null) return
    this.#inbox.opened(wire, options.window, options.id)
    this.reader?.opened(wire, this.#outbox)
    this.#outbox.opened(wire, options, now)
  }

  // ── writing and reading ─────────────────────────────────────────────────────────────────────────────────────────────

  #write(): void {
    const { random, schedule, people, scenario } = this.#world
    let left = false
    for (let step = 0; step < scenario.targets * scenario.outboxes; step++) {
      const other = people[(this.index + 1 + (step % scenario.targets)) % people.length]!
      const which = Math.floor(step / scenario.targets)
      const pair = `${this.name}${which === 0 ? '' : `.${which}`}>${other.name}`
      const k = (this.written.get(pair) ?? 0) + 1
      if (k > scenario.messages) continue
      left = true
      if (other.id === null || this.id === null || random.chance(0.3)) continue
      const { history, now } = this.#world
      const ttl = random.chance(scenario.mortal) ? random.between(1, 6) : 0
      if (this.#outboxes[which]?.add(other.id, toBody({ pair, k }), ttl, now) == null) continue
      this.written.set(pair, k)
      if (ttl > 0) history.written(pair, k, now + ttl * 1_000)
    }
    if (scenario.room && this.#publish()) left = true
    this.#plan()
    if (left) schedule.after(random.between(50, 1_500), () => this.#write())
  }

  /** Writes some messages to the room; false when all are written. */
  #publish(): boolean {
    const { random, scenario, now } = this.#world
    const pair = `${this.name}>${ROOM}`
    for (let left = random.between(1, 5); left > 0; left--) {
      const k = (this.written.get(pair) ?? 0) + 1
      if (k > scenario.messages) return false
      if (this.id === null || random.chance(0.2)) return true
      if (this.#outbox.add(ROOM, toBody({ pair, k }), 0, now) === null) continue
      this.written.set(pair, k)
      this.saidIn.set(`${pair} ${k}`, this.reader?.epoch ?? '')
    }
    return true
  }

  #settled({ body }: Outgoing, outcome: Outcome): void {
    const { pair, k } = toLetter(body)
    const { history, now, scenario } = this.#world
    if (outcome.kind === 'delivered') history.delivered(pair, k)
    else if (outcome.kind !== 'stored' && outcome.kind !== 'forgotten') {
      history.ended(pair, k, outcome, now)
      const word = outcome.kind === 'failed' ? outcome.code : outcome.kind
      if (!scenario.ends.includes(word)) history.wrong(`${pair} ${k} was told ${word}`)
    }
  }

  #show(message: Incoming): void {
    const { random, schedule, history, faulty } = this.#world
    if (message.body === null) throw new Error('a void is not shown')
    const { pair, k } = toLetter(message.body)
    if (!pair.endsWith(`>${this.name}`)) history.wrong(`I10: ${pair} ${k} was shown to ${this.name}`)
    const wait = Math.max(random.between(0, 20), faulty ? this.#stalledUntil - this.#world.now : 0)
    const life = this.#life
    schedule.after(wait, () => {
      if (this.#life !== life) return
      history.shown(pair, k)
      if (this.#world.faulty && random.chance(0.02)) {
        history.refused(pair, k)
        this.#inbox.refused('not today')
      } else this.#inbox.handled()
      this.#plan()
    })
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Acks leave once per turn, and the outbox is woken when it asks to be. */
  #plan(): void {
    const { schedule } = this.#world
    if (!this.#flushPlanned) {
      this.#flushPlanned = true
      schedule.after(0, () => {
        this.#flushPlanned = false
        this.#inbox.flush()
      })
    }
    const { due } = this.#outbox
    if (due === Infinity || due >= this.#dueAt) return
    this.#dueAt = due
    schedule.at(due, () => {
      if (this.#dueAt === due) this.#keepTime()
    })
  }

  #keepTime(): void {
    this.#dueAt = Infinity
    this.#outbox.tick(this.#world.now)
    this.#plan()
  }
}
