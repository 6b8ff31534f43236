/** Checks of hello and of who a client is: §2, §3, §7. */
import { closedWith, holds, newOutbox, same, stillThere, type Check, type World } from './check.ts'

export const sessionChecks: readonly Check[] = [
  {
    clause: '§2',
    does: 'makes up an id of 16 characters and a secret for who has none, and says the limits',
    run: async (world: World): Promise<void> => {
      const { id, secret, outbox, welcome } = await world.join({ outbox: 'an-outbox-of-mine' })
      holds(/^[\w-]{16}$/.test(id), `the id ${id} is not 16 of A-Za-z0-9_-`)
      holds(secret.length >= 43, 'the secret is shorter than 256 bits')
      same([outbox, welcome['v'], welcome['resumed'], welcome['parked']], ['an-outbox-of-mine', 1, false, 0], 'welcome')
      for (const name of ['expires', 'window', 'maxPacket', 'pingInterval', 'ackTimeout', 'time']) {
        holds(Number.isSafeInteger(welcome[name]), `${name} in welcome is no integer`)
      }
    },
  },
  {
    clause: '§3',
    does: 'gives the window that is asked for, and no more than it may',
    run: async (world: World): Promise<void> => {
      const { welcome } = await world.join({ window: 3 })
      same(welcome['window'], 3, 'the window')
    },
  },
  {
    clause: '§3',
    does: 'closes with bad_frame when the first frame is not hello',
    run: async (world: World): Promise<void> => {
      const speaker = await world.open()
      speaker.say(['ping'])
      await closedWith(speaker, 'bad_frame')
    },
  },
  {
    clause: '§3',
    does: 'closes with bad_frame at a second hello',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.say(['hello', { v: 1 }])
      await closedWith(speaker, 'bad_frame')
    },
  },
  {
    clause: '§3',
    does: 'closes with timeout who says nothing at first',
    run: async (world: World): Promise<void> => {
      const speaker = await world.open()
      await closedWith(speaker, 'timeout')
    },
  },
  {
    clause: '§8',
    does: 'closes with version at one that it does not speak',
    run: async (world: World): Promise<void> => {
      const speaker = await world.open()
      speaker.say(['hello', { v: 4_294_967_295 }])
      await closedWith(speaker, 'version')
    },
  },
  {
    clause: '§7.1',
    does: 'resumes an id by its secret, and closes the older connection with replaced',
    run: async (world: World): Promise<void> => {
      const { speaker, id, secret } = await world.join()
      const { welcome } = await world.join({ id, secret })
      same([welcome['id'], welcome['resumed'], welcome['secret']], [id, true, undefined], 'welcome')
      await closedWith(speaker, 'replaced')
    },
  },
  {
    clause: '§7.2',
    does: 'lets the higher attempt of an outbox win, whichever comes last',
    run: async (world: World): Promise<void> => {
      const outbox = newOutbox()
      const { id, secret, speaker } = await world.join({ outbox, attempt: 5 })
      const late = await world.open()
      late.say(['hello', { v: 1, id, secret, outbox, attempt: 4 }])
      await closedWith(late, 'replaced')
      await stillThere(speaker)
    },
  },
  {
    clause: '§7.4',
    does: 'gives a new id for one that is malformed or unknown',
    run: async (world: World): Promise<void> => {
      for (const id of ['with a space', 'AAAAAAAAAAAAAAAA']) {
        const { welcome } = await world.join({ id, secret: 'x' })
        holds(welcome['id'] !== id && welcome['resumed'] === false, `${id} was taken`)
      }
    },
  },
  {
    clause: '§7.4',
    does: 'closes with bad_secret at a wrong secret, and at none',
    run: async (world: World): Promise<void> => {
      const { id } = await world.join()
      const liar = await world.open()
      liar.say(['hello', { v: 1, id, secret: 'x'.repeat(43) }])
      await closedWith(liar, 'bad_secret')
    },
  },
  {
    clause: '§3',
    does: 'makes a new secret at rotate, and the old one is right until then',
    run: async (world: World): Promise<void> => {
      const { speaker, id } = await world.join()
      speaker.say(['rotate', 'r'])
      const [, , reply] = await speaker.hear('reply', 'r')
      const secret = typeof reply === 'object' && reply !== null && 'secret' in reply ? reply.secret : undefined
      const { welcome } = await world.join({ id, secret })
      same([welcome['id'], welcome['resumed']], [id, true], 'welcome by the new secret')
    },
  },
  {
    clause: '§3',
    does: 'says who is online',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = [await world.join(), await world.join()]
      alice.speaker.say(['presence', 1, [bob.id, 'nobody']])
      same((await alice.speaker.hear('reply', 1))[2], { [bob.id]: true, nobody: false }, 'the reply')
    },
  },
  {
    clause: '§3',
    does: 'closes without a close frame at bye',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.say(['bye'])
      await speaker.end()
      same(speaker.hasHeard('close'), false, 'a close frame')
    },
  },
]
