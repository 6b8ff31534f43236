/**
 * One turn of the event loop, as the hub and the connections see it: a beginning, at the first input, and an end, after the last.
 *
 * At the beginning the clock is read once. At the end the hub does what it has gathered, and then every connection that has
 * something to say writes it as one packet: many small writes to sockets are the cost that matters most. The end is a
 * `setImmediate`, which the loop runs right after the callbacks of the sockets.
 *
 * Where the loop brings hundreds of packets at once, a turn ends after every few of them: what a message has touched would else be touched
 * again when it is out of the cache. To the hub it is as if less had come at once.
 */
import type { Hub } from '../core/hub.ts'
import type { PacketOutput } from '../protocol/codec.ts'
import type { Pipe } from '../transport/transport.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'

/** Bytes that leave as one binary packet. */
const ONE_PACKET = 16 * 1024
/** Packets after which a turn ends before the loop has handed on all that came, unless connections to be written to are more, or but a few. */
const MANY = 16

/** A connection that wants to be called at the end of the turn. */
export interface AtTurnEnd {
  /** Hands on what arrived before `welcome` was written. */
  replay(): void
  /** Writes what is pending. */
  flush(): void
}

export class Turn {
  readonly #hub: Hub
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #failed: (error: unknown) => void
  #running = false
  /** The immediate is set. */
  #planned = false
  /** Heard in this turn. */
  #packets = 0
  #dirty: AtTurnEnd[] = []
  #spare: AtTurnEnd[] | null = null
  #welcomed: AtTurnEnd[] = []
  #pipe: Pipe | null = null

  /** `failed` is told of exceptions in the hub, which are faults of this program. */
  constructor(hub: Hub, clock: Clock, counters: Counters, failed: (error: unknown) => void) {
    this.#hub = hub
    this.#clock = clock
    this.#counters = counters
    this.#failed = failed
  }

  /** Before every input of the hub. */
  begin(): void {
    if (this.#running) return
    this.#running = true
    this.#clock.read()
    this.#hub.clock(this.#clock.now, this.#clock.time)
    if (this.#planned) return
    this.#planned = true
    setImmediate(this.#loopEnded)
  }

  /**
   * Before a packet. Ends the turn that runs if it has heard many: its connections and sessions are in the cache now. Where a packet is
   * for several connections, the next one is likely for the same, so they go on waiting for company; and so does what goes to the store,
   * where next to nothing is to be written.
   */
  packet(): void {
    const { length } = this.#dirty
    if (this.#packets >= MANY && length <= this.#packets && length >= this.#packets / 4) this.#end()
    this.#packets++
    this.begin()
  }

  /** Calls `flush` at the end of this turn. The caller sees to it that it asks only once. */
  flushAtEnd(connection: AtTurnEnd): void {
    this.#dirty.push(connection)
    this.begin()
  }

  /** Calls `replay` at the end of this turn, before the hub's own end of it. */
  replayAtEnd(connection: AtTurnEnd): void {
    this.#welcomed.push(connection)
    this.begin()
  }

  /** Writes everything that is pending to a pipe. False: something was dropped. */
  write(output: PacketOutput, pipe: Pipe, text: boolean): boolean {
    this.#pipe = pipe
    if (!text && output.pending <= ONE_PACKET) return output.flush(this.#writePacket)
    // A text packet holds one frame, and a binary one is of limited size, so there may be many of them.
    let whole = true
    pipe.cork(() => {
      whole = output.flush(this.#writePacket)
    })
    return whole
  }

  readonly #writePacket = (packet: Uint8Array, text: boolean): boolean => {
    this.#counters.packetsOut++
    this.#counters.bytesOut += packet.length
    return this.#pipe?.write(packet, text) ?? false
  }

  readonly #loopEnded = (): void => {
    this.#planned = false
    if (this.#running) this.#end()
  }

  #end(): void {
    this.#packets = 0
    const welcomed = this.#welcomed
    if (welcomed.length > 0) this.#welcomed = []
    for (const connection of welcomed) connection.replay()
    try {
      this.#hub.turn()
    } catch (error) {
      this.#failed(error)
    }
    const dirty = this.#dirty
    this.#dirty = this.#spare ?? []
    this.#spare = null
    // From here on an input begins a new turn: a pipe may end while it is written to.
    this.#running = false
    for (const connection of dirty) connection.flush()
    dirty.length = 0
    this.#spare = dirty
  }
}
