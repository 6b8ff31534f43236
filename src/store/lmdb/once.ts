/**
 * What is to be done once, in the default store: a record under its name, and a note of its end, by which ends are found in
 * order. Each new record takes a few that have ended with it, so that there is nothing to sweep.
 */
import type { LmdbCalls } from './calls.ts'
import type { Table } from './environment.ts'
import { putText, readText, Tag } from './records.ts'
import type { OnceStore } from '../once-store.ts'

const RECORD = 0
const END = 1
const END_BYTES = 8
/** Records that have ended, forgotten with each new one. */
const FORGOTTEN = 4

export class LmdbOnce implements OnceStore {
  readonly #table: Table
  readonly #calls: LmdbCalls
  readonly #clock: () => number
  readonly #put = (key: Uint8Array, value: Uint8Array): void => this.#table.put(key, value)

  constructor(table: Table, calls: LmdbCalls, clock: () => number) {
    this.#table = table
    this.#calls = calls
    this.#clock = clock
  }

  decide(target: string, name: string, value: string, lifeMs: number): Promise<string> {
    // No target holds a space.
    const key = `${target} ${name}`
    return this.#calls.write(target, key.length + value.length, () => this.#decide(key, value, lifeMs))
  }

  #decide(key: string, value: string, lifeMs: number): string {
    const now = this.#clock()
    this.#forget(now)
    const known = this.#read(key)
    if (known !== null && known.expires > now) return known.value
    if (known !== null) this.#table.remove(endKey(known.expires, key))
    const expires = now + lifeMs
    putText(recordKey(key), `${expires} ${value}`, this.#put)
    putText(endKey(expires, key), '', this.#put)
    return value
  }

  #read(key: string): { readonly expires: number; readonly value: string } | null {
    const at = recordKey(key)
    const written = this.#table.get(at)
    if (written === undefined) return null
    const text = readText(at, written, 'what was to be done once')
    const space = text.indexOf(' ')
    return { expires: Number(text.slice(0, space)), value: text.slice(space + 1) }
  }

  #forget(now: number): void {
    const ended = Array.from(this.#table.range(endKey(0, ''), endKey(now + 1, ''), FORGOTTEN), ({ key }) => key.slice())
    for (const end of ended) {
      this.#table.remove(end)
      this.#table.remove(recordKey(Buffer.from(end).toString('latin1', 2 + END_BYTES)))
    }
  }
}

function recordKey(key: string): Buffer {
  return Buffer.concat([Uint8Array.of(Tag.once, RECORD), Buffer.from(key, 'latin1')])
}

function endKey(expires: number, key: string): Buffer {
  const head = Buffer.alloc(2 + END_BYTES)
  head[0] = Tag.once
  head[1] = END
  head.writeBigUInt64BE(BigInt(expires), 2)
  return Buffer.concat([head, Buffer.from(key, 'latin1')])
}
