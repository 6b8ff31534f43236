/**
 * A small server with one mailbox per target and recipients that are shown messages: what `outbox.property.test.ts` plays against.
 *
 * It keeps the rules that an outbox relies on (§4, §5) and is nasty wherever they leave room: receipts are lost with a connection,
 * the store rolls back, mailboxes are full, messages are shown live without the store knowing, and answers come late.
 */
import { decodeText, textBody } from './bodies.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { Body, ClientFrames, Ref, SyncReply } from '../../src/protocol/frames.ts'
import type { Outbox } from '../../src/client/outbox.ts'

export { textBody }

interface Box {
  last: Map<string, number>
  delivered: Map<string, number>
  entries: { stream: string; n: number; text: string }[]
}

interface Frame {
  n: number
  floor: number
  target: string
  text: string
}

type Up = { kind: 'send'; frame: Frame } | { kind: 'sync'; target: string }

export class Mailroom {
  readonly terms = { sendWindow: { messages: 4, bytes: 400 }, ackTimeout: 30_000 }
  /** What each recipient was shown, in order. */
  readonly shown = new Map<string, string[]>()
  gaps = 0
  /** Rules of the protocol that the outbox broke. */
  readonly faults: string[] = []
  full = false
  storeDown = false
  #boxes = new Map<string, Box>()
  #backup = new Map<string, Box>()
  /** What a recipient's session has acked of a stream: nobody else knows. */
  #live = new Map<string, number>()
  #cursors = new Map<string, number>()
  #up: Up[] = []
  #down: ((outbox: Outbox, now: number) => void)[] = []
  #refused = new Map<string, number>()
  #unsettled = 0
  #name = ''

  connect(name: string): Pick<ClientFrames, 'send' | 'sync'> {
    this.#name = name
    this.disconnect()
    const up = this.#up
    return {
      send: (n: number, floor: number, target: string, _ttl: number, body: Body) => {
        if (floor > n || floor < 1 || n - floor > 1_024) this.faults.push(`floor ${floor} of ${n}`)
        up.push({ kind: 'send', frame: { n, floor, target, text: decodeText(body) } })
      },
      sync: (_ref: Ref, target: string) => up.push({ kind: 'sync', target }),
    }
  }

  disconnect(): void {
    this.#up = []
    this.#down = []
    this.#refused.clear()
    this.#unsettled = 0
  }

  get idle(): boolean {
    return this.#up.length === 0 && this.#down.length === 0
  }

  /** Tells the client one thing. */
  answer(outbox: Outbox, now: number): void {
    this.#down.shift()?.(outbox, now)
  }

  /** Takes one frame; `mood` decides what the rules leave open. */
  take(mood: number): void {
    const up = this.#up.shift()
    if (up?.kind === 'sync') this.#sync(up.target, mood)
    if (up?.kind === 'send') this.#send(up.frame, mood)
  }

  /** A recipient reads one entry of its mailbox. */
  drain(target: string): void {
    const box = this.#box(target)
    const entry = box.entries.shift()
    if (!entry) return
    this.#show(target, entry.stream, entry.n, entry.text)
    box.delivered.set(entry.stream, Math.max(entry.n, box.delivered.get(entry.stream) ?? 0))
    if (entry.stream === this.#name) this.#tell(outbox => (now: number) => outbox.delivered(target, entry.n, now))
  }

  backup(): void {
    this.#backup = structuredClone(this.#boxes)
  }

  /** The store fails over to a copy that is behind. */
  rollBack(): void {
    this.#boxes = structuredClone(this.#backup)
  }

  #tell(what: (outbox: Outbox) => (now: number) => void): void {
    this.#down.push((outbox, now) => what(outbox)(now))
  }

  #box(target: string): Box {
    const box = this.#boxes.get(target) ?? { last: new Map(), delivered: new Map(), entries: [] }
    this.#boxes.set(target, box)
    return box
  }

  #show(target: string, stream: string, n: number, text: string): void {
    const key = `${target} ${stream}`
    const cursor = this.#cursors.get(key)
    if (cursor !== undefined && n <= cursor) return
    if (cursor !== undefined && n > cursor + 1) this.gaps++
    this.#cursors.set(key, n)
    this.shown.set(target, [...(this.shown.get(target) ?? []), text])
  }

  #sync(target: string, mood: number): void {
    const box = this.#box(target)
    const key = `${target} ${this.#name}`
    const live = mood % 2 === 0 ? (this.#live.get(key) ?? 0) : 0
    const delivered = Math.max(live, box.delivered.get(this.#name) ?? 0)
    const reply: SyncReply | null = this.storeDown ? null : { last: box.last.get(this.#name) ?? 0, delivered }
    this.#tell(outbox => now => outbox.synced(target, reply, now))
  }

  #send({ n, floor, target, text }: Frame, mood: number): void {
    const refused = this.#refused.get(target) ?? 0
    if (refused > 0 && n > refused) return
    this.#refused.delete(target)
    if (++this.#unsettled > this.terms.sendWindow.messages) this.faults.push('more unsettled sends than allowed')
    if (mood % 10 === 0) return this.#retry(target, n, 'rate_limited', 500)
    const box = this.#box(target)
    const stream = this.#name
    const key = `${target} ${stream}`
    const last = box.last.get(stream) ?? 0
    const next = Math.max(last + 1, floor)
    const cursor = this.#cursors.get(key) ?? 0
    const parked = box.entries.some(entry => entry.stream === stream)
    if (mood % 10 <= 3 && n === cursor + 1 && !parked) return this.#showLive(target, n, text, mood)
    if (this.storeDown) return this.#retry(target, n, 'unavailable', 1_000)
    if (n <= last) return this.#receipt(target, n, n <= (box.delivered.get(stream) ?? 0) ? 'delivered' : 'stored')
    if (n > next) return this.#retry(target, next, 'gap', 0)
    if (this.full) return this.#fail(target, n, 'mailbox_full')
    box.last.set(stream, n)
    box.entries.push({ stream, n, text })
    this.#receipt(target, n, 'stored')
  }

  #showLive(target: string, n: number, text: string, mood: number): void {
    this.#show(target, this.#name, n, text)
    // The ack was lost, and so was the store.
    if (mood % 10 === 1) return this.#retry(target, n, 'unavailable', 1_000)
    this.#live.set(`${target} ${this.#name}`, n)
    this.#receipt(target, n, 'delivered')
  }

  #receipt(target: string, n: number, kind: 'delivered' | 'stored'): void {
    this.#unsettled--
    this.#tell(outbox => now => outbox[kind](target, n, now))
  }

  #retry(target: string, n: number, code: ErrorCode, afterMs: number): void {
    this.#unsettled--
    this.#refused.set(target, n)
    this.#tell(outbox => now => outbox.retry(target, n, code, afterMs, now))
  }

  #fail(target: string, n: number, code: ErrorCode): void {
    this.#unsettled--
    this.#refused.set(target, n)
    this.#tell(outbox => now => outbox.failed(target, n, code, now))
  }
}
