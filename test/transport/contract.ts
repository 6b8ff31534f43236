/**
 * What every transport must do, run over each of them: packets come and go whole and in order, `closed` comes exactly once and
 * last, and after it nothing works and nothing throws.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Accept, Pipe, PipeEvents } from '../../src/transport/transport.ts'

/** The other side of a pipe, by another implementation where there is one. */
export interface Client {
  send(bytes: Uint8Array, text: boolean): void
  /** Everything received so far, as `text: …` or `binary: …` with the bytes in hex. */
  readonly received: string[]
  /** How the server ended it: number and name; null while it has not. */
  readonly ended: { readonly number: number; readonly name: string } | null
  destroy(): void
}

export interface Subject {
  connect(): Promise<Client>
  close(): Promise<void>
}

export interface Transport {
  readonly name: string
  /** Bytes that one pipe may buffer. */
  readonly maxBuffered: number
  /** A stream stays in one encoding, and tells the number of a close only in the close frame of the gateway. */
  readonly stream: boolean
  open(accept: Accept): Promise<Subject>
}

/** One side as the server sees it. */
class Side implements PipeEvents {
  readonly events: string[] = []
  readonly pipe: Pipe
  onPacket: (bytes: Uint8Array) => void = () => {}

  constructor(pipe: Pipe) {
    this.pipe = pipe
  }

  packet(bytes: Uint8Array, text: boolean): void {
    this.events.push(`${encoding(text)}: ${Buffer.from(bytes).toString(bytes.length > 100 ? 'base64' : 'hex')}`)
    this.onPacket(bytes)
  }

  broken(reason: string): void {
    this.events.push(`broken: ${reason}`)
  }

  closed(): void {
    this.events.push('closed')
  }
}

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; !done(); waited += 2) {
    if (waited > 5_000) throw new Error('it did not come')
    await sleep(2)
  }
}

const encoding = (text: boolean): string => (text ? 'text' : 'binary')
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

export function testTransport(transport: Transport): void {
  const { stream } = transport
  const other = !stream
  const closedAs = (number: number, name: string): Client['ended'] =>
    stream ? { number: 0, name: '' } : { number, name }

  describe(`the ${transport.name} transport`, () => {
    let subject: Subject | null = null
    const sides: Side[] = []

    async function connect(prepare: (pipe: Pipe) => void = () => {}): Promise<[Side, Client]> {
      subject ??= await transport.open(pipe => {
        prepare(pipe)
        const side = new Side(pipe)
        sides.push(side)
        return side
      })
      const count = sides.length
      const client = await subject.connect()
      await until(() => sides.length > count)
      return [sides[count]!, client]
    }

    afterEach(async () => {
      await subject?.close()
      subject = null
      sides.length = 0
    })

    it('names itself and the address of the peer', async () => {
      const [{ pipe }] = await connect()
      expect(pipe.transport).toBe(transport.name)
      expect(pipe.address).toBe('127.0.0.1')
    })

    it('hands packets up whole, in order, with their encoding', async () => {
      const [side, client] = await connect()
      client.send(bytes(1, 2, 3), false)
      client.send(utf8('[]'), other)
      client.send(bytes(4), false)
      await until(() => side.events.length === 3)
      expect(side.events).toEqual(['binary: 010203', `${encoding(other)}: 5b5d`, 'binary: 04'])
    })

    it('writes packets whole, in order, with their encoding, and lets the bytes be reused', async () => {
      const [{ pipe }, client] = await connect()
      const packet = bytes(1, 2, 3)
      expect(pipe.write(packet, false)).toBe(true)
      packet.fill(9)
      expect(pipe.write(utf8('[]'), other)).toBe(true)
      await until(() => client.received.length === 2)
      expect(client.received).toEqual(['binary: 010203', `${encoding(other)}: 5b5d`])
    })

    it('carries a packet of a megabyte both ways', async () => {
      const [side, client] = await connect()
      side.onPacket = packet => void side.pipe.write(packet, false)
      // The first packet on a stream has to be small.
      client.send(bytes(1), false)
      client.send(new Uint8Array(1024 * 1024).fill(7), false)
      await until(() => client.received.length === 2)
      expect(client.received[1]?.length).toBe('binary: '.length + 2 * 1024 * 1024)
    })

    it('writes what is corked, at once or at the end of it, in order', async () => {
      const [{ pipe }, client] = await connect()
      pipe.cork(() => {
        pipe.write(bytes(1), false)
        pipe.write(bytes(2), false)
      })
      pipe.write(bytes(3), false)
      await until(() => client.received.length === 3)
      expect(client.received).toEqual(['binary: 01', 'binary: 02', 'binary: 03'])
    })

    it('ends after what was written, and says why', async () => {
      const [side, client] = await connect()
      side.pipe.write(bytes(1), false)
      side.pipe.end(4000, 'restart')
      await until(() => client.ended !== null)
      expect(client.received).toEqual(['binary: 01'])
      expect(client.ended).toEqual(closedAs(4000, 'restart'))
      expect(side.events).toEqual(['closed'])
    })

    it('tells of the end once when the peer hangs up', async () => {
      const [side, client] = await connect()
      client.destroy()
      await until(() => side.events.length > 0)
      side.pipe.destroy()
      await sleep(20)
      expect(side.events).toEqual(['closed'])
    })

    it('tells of the end once when it is destroyed', async () => {
      const [side, client] = await connect()
      side.pipe.destroy()
      side.pipe.destroy()
      await until(() => client.ended !== null)
      expect(side.events).toEqual(['closed'])
    })

    it('does nothing and throws nothing after the end', async () => {
      const [{ pipe, events }, client] = await connect()
      pipe.end(4000, 'restart')
      expect(pipe.write(bytes(1), false)).toBe(true)
      pipe.cork(() => pipe.write(bytes(2), false))
      expect(pipe.buffered()).toBe(0)
      pipe.end(4001, 'overloaded')
      pipe.destroy()
      await until(() => client.ended !== null)
      expect(client.received).toEqual([])
      expect(events).toEqual(['closed'])
    })

    it('may be ended while it is accepted', async () => {
      const [side, client] = await connect(pipe => pipe.end(4001, 'overloaded'))
      await until(() => client.ended !== null)
      expect(client.ended).toEqual(closedAs(4001, 'overloaded'))
      expect(side.events).toEqual(['closed'])
    })

    it('hears nothing more once it was ended from within a packet', async () => {
      const [side, client] = await connect()
      side.onPacket = () => side.pipe.end(1000, '')
      client.send(bytes(1), false)
      client.send(bytes(2), false)
      await until(() => client.ended !== null)
      expect(side.events).toEqual(['binary: 01', 'closed'])
    })

    it('says that a packet was dropped when too much is buffered', async () => {
      const [{ pipe }] = await connect()
      const packet = new Uint8Array(1024 * 1024)
      let written = 0
      // No turn of the loop passes here, so the peer cannot read meanwhile; the network may take some of it.
      while (written < 64 && pipe.write(packet, false)) written++
      expect(written).toBeGreaterThanOrEqual(transport.maxBuffered / packet.length)
      expect(written).toBeLessThan(64)
    })
  })
}
