/** What a limit of attempts does at its edge: of making rooms and accounts, and of what may be guessed. */
import { expect } from 'vitest'
import type { Heard } from '../gateway/peer.ts'
import { enter, places, start, type Known } from './stage.ts'

const accounts = { auth: 'both', jwtSecret: 'x'.repeat(32), accounts: 'on' } as const

/** What is answered to a question about rooms: `reply`, or the code of a refusal. */
async function answer({ peer }: Known, ask: () => void): Promise<unknown> {
  const from = peer.heard.length
  ask()
  const found = (): Heard | undefined => peer.heard.slice(from).find(([name]) => name === 'reply' || name === 'error')
  await expect.poll(found).toBeDefined()
  const [name, , code] = found() ?? ['unknown']
  return name === 'reply' ? name : code
}

/** The status that is answered to a name and a password. */
async function tell(path: string, id: string, password = 'a password that is right'): Promise<number> {
  const body = JSON.stringify({ id, password })
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${places.http}/api/${path}`, { method: 'POST', headers, body })).status
}

export const attemptEdges: Record<string, () => Promise<void>> = {
  roomMakingRate: async () => {
    await start({ roomMakingRate: 2 })
    const [alice, bob] = [await enter(), await enter()]
    const make = (who: Known, room: string): Promise<unknown> =>
      answer(who, () => who.peer.say(frames => frames.create(1, room, {})))
    expect([await make(alice, '#a'), await make(alice, '#b'), await make(alice, '#c')]).toEqual([
      ...['reply', 'reply', 'rate_limited'],
    ])
    expect(await make(bob, '#c')).toBe('reply')
  },

  roomPasswordRate: async () => {
    await start({ roomPasswordRate: 1 })
    const owner = await enter()
    await answer(owner, () => owner.peer.say(frames => frames.create(1, '#den', { password: 'open, sesame' })))
    const join = (who: Known, password: string): Promise<unknown> =>
      answer(who, () => who.peer.say(frames => frames.join(1, '#den', { password })))
    const guessers = [await enter(), await enter(), await enter()]
    for (const guesser of guessers) expect(await join(guesser, 'guess')).toBe('bad_password')
    // One of an id, and three of an address.
    expect(await join(guessers[0] ?? owner, 'open, sesame')).toBe('rate_limited')
    expect(await join(await enter(), 'guess')).toBe('rate_limited')
  },

  loginRate: async () => {
    await start({ ...accounts, loginRate: 1 })
    for (const name of ['alice', 'bob']) expect(await tell('register', name)).toBe(201)
    expect(await tell('login', 'alice', 'a password that is wrong')).toBe(401)
    expect(await tell('login', 'alice')).toBe(429)
    expect(await tell('login', 'bob')).toBe(200)
  },

  registrationRate: async () => {
    await start({ ...accounts, registrationRate: 1 })
    expect([await tell('register', 'alice'), await tell('register', 'bob')]).toEqual([201, 429])
    expect(await tell('login', 'alice')).toBe(200)
  },
}
