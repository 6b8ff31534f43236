/** The conformance suite against the real server, over every transport that it has. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNodeSocket } from '../../src/client/sockets.node.ts'
import { judge, type Door, type OpenWire, type Verdict } from '../../src/conformance/suite.ts'
import { silentLog } from '../../src/gateway/log.ts'
import { startServer, type Server } from '../../src/server.ts'
import { makeDevelopmentCertificate } from '../../src/transport/development.ts'
import { connectMemory, type MemoryLink } from '../../src/transport/memory.ts'
import type { Accept } from '../../src/transport/transport.ts'
import { House } from '../gateway/house.ts'

const { cert, key } = makeDevelopmentCertificate()

function door(url: string): Door {
  return {
    name: url.replace(/:.*/, ''),
    stream: !url.startsWith('ws'),
    openWire: events => {
      const socket = openNodeSocket(url, events, { ca: cert })
      return { send: (packet, text) => socket.send(packet, text), close: () => socket.close() }
    },
  }
}

function memoryDoor(accept: Accept): Door {
  return {
    name: 'memory',
    stream: false,
    openWire: events => {
      const link: MemoryLink = connectMemory(accept, {
        packet: (bytes, text) => events.packet(bytes, text),
        broken: () => {},
        closed: () => {
          const { number, name } = link.client.endedBy ?? { number: 1006, name: '' }
          events.closed(number, name)
        },
      })
      setImmediate(() => events.opened())
      return { send: (packet, text) => void link.client.write(packet, text), close: () => link.client.destroy() }
    },
  }
}

async function faults(doors: readonly Door[]): Promise<[count: number, faults: string[]]> {
  const verdicts: Verdict[] = []
  await judge(doors, verdict => verdicts.push(verdict))
  const said = verdicts
    .filter(({ fault }) => fault !== null)
    .map(({ door, encoding, clause, does, fault }) => `${door} ${encoding} ${clause} ${does}: ${fault?.message}`)
  return [verdicts.length, said]
}

describe('the conformance suite', () => {
  let folder = ''
  let server: Server

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ackd-conformance-'))
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    server = await startServer(
      {
        port: 0,
        wssPort: 0,
        store: 'memory',
        maxLag: 60_000,
        tlsCert: join(folder, 'cert.pem'),
        tlsKey: join(folder, 'key.pem'),
      },
      silentLog,
    )
  })

  afterAll(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  it('finds no fault in this server, over any transport, in either encoding, between any two', async () => {
    const { ws, wss, tcp, tls } = server
    const [count, found] = await faults([ws, wss ?? '', tcp ?? '', tls ?? ''].map(door))
    expect(found).toEqual([])
    expect(count).toBeGreaterThan(300)
  })

  it('finds none over memory', async () => {
    const house = new House()
    const [count, found] = await faults([memoryDoor(house.gateway.accept)])
    house.close()
    expect(found).toEqual([])
    expect(count).toBeGreaterThan(60)
  })

  it.each<[string, (bytes: Uint8Array, text: boolean) => [Uint8Array, boolean], string]>([
    ['answers in the wrong encoding', (bytes, text) => [bytes, !text], 'changed the encoding'],
    ['cuts off what it says', (bytes, text) => [bytes.subarray(0, -1), text], 'wrote what is no frame'],
  ])('finds every fault of a server that %s', async (_, spoil, fault) => {
    const house = new House()
    const sound = memoryDoor(house.gateway.accept)
    const openWire: OpenWire = events =>
      sound.openWire({
        opened: () => events.opened(),
        packet: (bytes, text) => events.packet(...spoil(bytes, text)),
        closed: (number, name) => events.closed(number, name),
      })
    const [count, found] = await faults([{ ...sound, openWire }])
    house.close()
    expect(found).toHaveLength(count)
    expect(found.join()).toContain(fault)
  })
})
