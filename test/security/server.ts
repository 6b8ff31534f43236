/** A server on memory for tests of hostile input, and a bare TCP client that can break the rules of WebSocket. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { silentLog } from '../../src/gateway/log.ts'
import type { Options } from '../../src/options.ts'
import { startServer, type Server } from '../../src/server.ts'
import { exchange } from '../gateway/house.ts'
import { connectBySocket } from '../gateway/peer.ts'

export function startVictim(more: Partial<Options> = {}): Promise<Server> {
  return startServer({ port: 0, store: 'memory', maxLag: 60_000, ...more }, silentLog)
}

/** Whether the server still lives, and two honest clients can still talk. */
export async function stillWorks(server: Server): Promise<void> {
  const response = await fetch(`${server.http}/healthz`)
  if (response.status !== 200) throw new Error(`/healthz answered ${response.status}`)
  await exchange(() => connectBySocket(server.ws))
}

export interface Attacker {
  readonly socket: Socket
  /** Bytes that came after the upgrade. */
  received(): Buffer
  readonly closed: Promise<void>
}

/** Upgrades by hand, so that any bytes can follow. */
export async function attack(server: Server): Promise<Attacker> {
  const { hostname, port } = new URL(server.ws)
  const socket = connect(Number(port), hostname)
  const parts: Buffer[] = []
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  const key = randomBytes(16).toString('base64')
  const head = ['GET /ws HTTP/1.1', `Host: ${hostname}`, 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write([...head, `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', '', ''].join('\r\n'))
  await new Promise<void>((resolve, reject) => {
    socket.once('data', (answer: Buffer) => {
      if (answer.toString().startsWith('HTTP/1.1 101')) resolve()
      else reject(new Error(answer.toString()))
    })
    socket.once('close', () => reject(new Error('closed before the upgrade')))
  })
  socket.on('data', (bytes: Buffer) => parts.push(bytes))
  return { socket, received: () => Buffer.concat(parts), closed }
}

export interface FrameForm {
  readonly opcode?: number
  readonly final?: boolean
  readonly masked?: boolean
  /** What the header claims, when it is not the length of the payload. */
  readonly length?: number
}

/** A WebSocket frame of a payload below 64 KiB, in any form. */
export function webSocketFrame(payload: Uint8Array, form: FrameForm = {}): Buffer {
  const { opcode = 2, final = true, masked = true, length = payload.length } = form
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (final ? 0x80 : 0) | opcode
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat(masked ? [head, Buffer.alloc(4), payload] : [head, payload])
}
