/** Who guesses at the password of a room, over real sockets: by one id on many connections, and by many ids from one address. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Server } from '../../src/server.ts'
import { connectBySocket, type Heard, type Peer } from '../gateway/peer.ts'
import { startVictim, stillWorks } from './server.ts'

describe('the making of rooms', () => {
  it('is limited per id, whatever connections it makes; then it is told when to try again', async () => {
    const server = await startVictim()
    let peer = await connectBySocket(server.ws)
    const { id, secret = '' } = await peer.hello({ outbox: 'room-maker' })
    const make = async (room: string): Promise<Heard> => {
      peer.say(frames => frames.create(room, room, {}))
      const found = (): Heard | undefined => peer.heard.find(([name, ref]) => name !== 'members' && ref === room)
      await expect.poll(found, { timeout: 10_000 }).toBeDefined()
      return found() ?? ['unknown']
    }
    for (let i = 0; i < 20; i++) {
      expect((await make(`#room-${i}`))[0]).toBe('reply')
      if (i !== 10) continue
      peer.say(frames => frames.bye())
      await peer.end()
      peer = await connectBySocket(server.ws)
      await peer.hello({ id, secret, outbox: 'room-maker' })
    }
    const [, , code, text] = await make('#room-20')
    expect([code, text]).toEqual(['rate_limited', expect.stringMatching(/try again after \d+ s/)])
    await server.close()
  })
})

describe('guesses at the password of a room', () => {
  let folder: string
  let auditLog: string
  let server: Server
  let owner: Peer

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ackd-rooms-'))
    auditLog = join(folder, 'audit.log')
    server = await startVictim({ auditLog })
    owner = await connectBySocket(server.ws)
    await owner.hello()
    owner.say(frames => frames.create(1, '#den', { password: 'open, sesame' }))
    await owner.next('reply')
  })

  afterEach(async () => {
    await stillWorks(server)
    await server.close()
    rmSync(folder, { recursive: true })
  })

  async function answer(peer: Peer, password: string): Promise<Heard> {
    const from = peer.heard.length
    peer.say(frames => frames.join('join', '#den', { password }))
    const found = (): Heard | undefined =>
      peer.heard.slice(from).find(([name, ref]) => (name === 'reply' || name === 'error') && ref === 'join')
    await expect.poll(found, { timeout: 30_000 }).toBeDefined()
    return found() ?? ['unknown']
  }

  const events = (event: string): Record<string, unknown>[] =>
    readFileSync(auditLog, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
      .filter(line => line['event'] === event)

  it('are ten a minute for an id, however often it connects; then it is told when to try again', async () => {
    let peer = await connectBySocket(server.ws)
    const { id, secret = '' } = await peer.hello({ outbox: 'guessers' })
    for (let i = 0; i < 10; i++) {
      expect((await answer(peer, `guess ${i}`))[2]).toBe('bad_password')
      if (i % 4 !== 3) continue
      peer.say(frames => frames.bye())
      await peer.end()
      peer = await connectBySocket(server.ws, i > 4)
      await peer.hello({ id, secret, outbox: 'guessers' })
    }
    for (const password of ['guess 11', 'open, sesame']) {
      const [, , code, text] = await answer(peer, password)
      expect([code, text]).toEqual(['rate_limited', expect.stringMatching(/try again after \d+ s/)])
    }
    const other = await connectBySocket(server.ws)
    await other.hello()
    expect((await answer(other, 'open, sesame'))[0]).toBe('reply')
    expect(events('room_refused').length).toBe(10)
    expect(events('throttled')).toMatchObject([{ id, room: '#den', address: '127.0.0.1' }])
  })

  it('are thirty a minute for an address, however many ids it makes; the owner comes in all the same', async () => {
    const codes: unknown[] = []
    for (let i = 0; i < 31; i++) {
      const peer = await connectBySocket(server.ws)
      await peer.hello()
      codes.push((await answer(peer, `guess ${i}`))[2])
      peer.hangUp()
    }
    expect(codes).toEqual([...new Array<string>(30).fill('bad_password'), 'rate_limited'])
    expect((await answer(owner, ''))[0]).toBe('reply')
  })

  it('that all come at once are no way round', async () => {
    const peers = await Promise.all(Array.from({ length: 45 }, () => connectBySocket(server.ws)))
    await Promise.all(peers.map(peer => peer.hello()))
    const codes = await Promise.all(peers.map(async (peer, i) => (await answer(peer, `guess ${i}`))[2]))
    expect(codes.filter(code => code === 'bad_password').length).toBeLessThanOrEqual(30)
    expect(codes.filter(code => code === 'rate_limited').length).toBeGreaterThanOrEqual(15)
  })
})
