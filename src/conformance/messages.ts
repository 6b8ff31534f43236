/** Checks of messages, acks and receipts: §1.7, §3, §5, §6. */
import { closedWith, holds, newOutbox, same, stillThere, type Check, type Member, type World } from './check.ts'

/** The part of a message that does not depend on the clock: seq, from, outbox, n, body. */
async function heard({ speaker }: Member): Promise<readonly unknown[]> {
  const [, seq, from, outbox, n, , , body] = await speaker.hear('message')
  return [seq, from, outbox, n, body]
}

async function pair(world: World): Promise<[alice: Member, bob: Member]> {
  return [await world.join(), await world.join()]
}

/** Somebody with an id who is away. */
async function absent(world: World): Promise<Member> {
  const member = await world.join()
  member.speaker.say(['bye'])
  await member.speaker.end()
  return member
}

const bodies: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  2 ** 53 - 1,
  1.5,
  '',
  'ünïcödé 🙂',
  [],
  [1, [2, [3]]],
  {},
  { a: { b: [null] } },
  Uint8Array.of(0, 1, 255),
  2n ** 63n - 1n,
  { $bin: 'not bytes' },
]

export const messageChecks: readonly Check[] = [
  {
    clause: '§3',
    does: 'carries messages in order, and tells of acks by a cumulative receipt',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = await pair(world)
      alice.speaker.say(...[1, 2, 3].map(n => ['send', n, 1, bob.id, null, `message ${n}`]))
      for (const n of [1, 2, 3]) {
        same(await heard(bob), [n, alice.id, alice.outbox, n, `message ${n}`], `message ${n}`)
      }
      bob.speaker.say(['ack', 3])
      await alice.speaker.hear('receipt', 'delivered', bob.id, 3)
    },
  },
  {
    clause: '§1.7',
    does: 'gives every kind of body back as it was',
    run: async (world: World): Promise<void> => {
      const { speaker, id } = await world.join()
      for (const [i, body] of bodies.entries()) {
        speaker.say(['send', i + 1, i + 1, id, null, body])
        same((await speaker.hear('message'))[7], body, `body ${i}`)
        speaker.say(['ack', i + 1])
        await speaker.hear('receipt', 'delivered', id, i + 1)
      }
    },
  },
  {
    clause: '§3',
    does: 'keeps what an absent client is sent, and hands it over in order, marked as parked',
    run: async (world: World): Promise<void> => {
      const alice = await world.join()
      const { id, secret } = await absent(world)
      alice.speaker.say(...[1, 2, 3].map(n => ['send', n, 1, id, { ttl: 600 }, n]))
      await alice.speaker.hear('receipt', 'stored', id, 3)
      const bob = await world.join({ id, secret })
      same(bob.welcome['parked'], 3, 'parked in welcome')
      for (const n of [1, 2, 3]) {
        const [, seq, from, , number, , flags, body] = await bob.speaker.hear('message')
        same([seq, from, number, Number(flags) & 1, body], [n, alice.id, n, 1, n], `message ${n}`)
      }
      bob.speaker.say(['ack', 3])
      await alice.speaker.hear('receipt', 'delivered', id, 3)
    },
  },
  {
    clause: '§6.2',
    does: 'sends again on the next connection what was not acked on this one',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = await pair(world)
      alice.speaker.say(...[1, 2, 3].map(n => ['send', n, 1, bob.id, null, n]))
      for (const n of [1, 2, 3]) same((await heard(bob))[3], n, 'n')
      bob.speaker.say(['ack', 1])
      await alice.speaker.hear('receipt', 'delivered', bob.id, 1)
      bob.speaker.hangUp()
      const again = await world.join({ id: bob.id, secret: bob.secret })
      for (const n of [2, 3]) same((await heard(again))[3], n, 'n')
    },
  },
  {
    clause: '§3',
    does: 'numbers the sends of a client that has no outbox',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = [await world.join({ outbox: undefined }), await world.join()]
      alice.speaker.say(['send', null, null, bob.id, null, 'first'], ['send', null, null, bob.id, null, 'second'])
      const [first, second] = [await heard(bob), await heard(bob)]
      same([first[4], second[4], Number(second[3]) - Number(first[3])], ['first', 'second', 1], 'the messages')
      bob.speaker.say(['ack', 2])
      await alice.speaker.hear('receipt', 'delivered', bob.id, second[3])
    },
  },
  {
    clause: '§3',
    does: 'tells the sender rejected, with the reason, at a nack',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = await pair(world)
      alice.speaker.say(['send', 1, 1, bob.id, null, 'a'], ['send', 2, 1, bob.id, null, 'b'])
      await heard(bob)
      await heard(bob)
      bob.speaker.say(['nack', 2, 'not for me'])
      same((await alice.speaker.hear('receipt', 'rejected')).slice(2), [bob.id, 2, 'not for me'], 'the receipt')
    },
  },
  {
    clause: '§5.4',
    does: 'says at sync what became of a stream',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = await pair(world)
      alice.speaker.say(['send', 1, 1, bob.id, null, 'a'])
      await heard(bob)
      bob.speaker.say(['ack', 1])
      await alice.speaker.hear('receipt', 'delivered', bob.id, 1)
      alice.speaker.say(['sync', 's', bob.id])
      const [, , reply] = await alice.speaker.hear('reply', 's')
      holds(
        typeof reply === 'object' && reply !== null && 'delivered' in reply && reply.delivered === 1,
        'delivered is not 1',
      )
    },
  },
  {
    clause: '§5.5',
    does: 'hands back, with retry and the missing number, what comes beyond a hole',
    run: async (world: World): Promise<void> => {
      const alice = await world.join()
      const { id } = await absent(world)
      alice.speaker.say(['send', 1, 1, id, null, 1])
      await alice.speaker.hear('receipt', 'stored', id, 1)
      alice.speaker.say(['send', 3, 1, id, null, 3])
      same((await alice.speaker.hear('receipt', 'retry')).slice(2, 5), [id, 2, 'gap'], 'the receipt')
      alice.speaker.say(['send', 2, 1, id, null, 2], ['send', 3, 1, id, null, 3])
      await alice.speaker.hear('receipt', 'stored', id, 3)
    },
  },
  {
    clause: '§5.5',
    does: 'answers a number that was sent before with the receipt that it earned, and keeps it once',
    run: async (world: World): Promise<void> => {
      const { id, secret } = await absent(world)
      const outbox = newOutbox()
      const first = await world.join({ outbox })
      first.speaker.say(['send', 1, 1, id, null, 'once'])
      await first.speaker.hear('receipt', 'stored', id, 1)
      first.speaker.hangUp()
      const again = await world.join({ id: first.id, secret: first.secret, outbox, attempt: 2 })
      again.speaker.say(['send', 1, 1, id, null, 'once'])
      await again.speaker.hear('receipt', 'stored', id, 1)
      const bob = await world.join({ id, secret })
      same(bob.welcome['parked'], 1, 'parked in welcome')
    },
  },
  {
    clause: '§5.7',
    does: 'refuses with failed a number that cannot be, and a target that is none',
    run: async (world: World): Promise<void> => {
      const [{ speaker }, bob] = await pair(world)
      speaker.say(['send', 2_000, 1, bob.id, null, 'too far'])
      same((await speaker.hear('receipt', 'failed')).slice(2, 5), [bob.id, 2_000, 'bad_number'], 'the receipt')
      speaker.say(['send', 1, 1, 'not an id', null, ''])
      same((await speaker.hear('receipt', 'failed')).slice(2, 5), ['not an id', 1, 'bad_id'], 'the receipt')
      speaker.say(['send', 0, 0, bob.id, null, ''])
      same((await speaker.hear('error'))[2], 'bad_number', 'the error')
      await stillThere(speaker)
    },
  },
  {
    clause: '§9',
    does: 'refuses with failed what is for nobody',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.say(['send', 1, 1, 'AAAAAAAAAAAAAAAA', null, ''])
      await speaker.hear('receipt', 'failed', 'AAAAAAAAAAAAAAAA', 1, 'unknown_recipient')
    },
  },
  {
    clause: '§3',
    does: 'closes with bad_frame at an ack of what was never sent',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      speaker.say(['ack', 1])
      await closedWith(speaker, 'bad_frame')
    },
  },
  {
    clause: '§3',
    does: 'passes a signal to who is there, and drops it for who is not',
    run: async (world: World): Promise<void> => {
      const [alice, bob] = await pair(world)
      alice.speaker.say(['signal', 'AAAAAAAAAAAAAAAA', 0], ['signal', bob.id, { typing: true }])
      same(await bob.speaker.hear('signal'), ['signal', alice.id, bob.id, { typing: true }], 'the signal')
    },
  },
  {
    clause: '§9',
    does: 'refuses a signal whose target is neither an id nor a room with bad_id, and stays',
    run: async (world: World): Promise<void> => {
      const { speaker } = await world.join()
      for (const target of ['no id!', '#no room', '', 5]) {
        speaker.say(['signal', target, 'typing'])
        same((await speaker.hear('error')).slice(0, 3), ['error', null, 'bad_id'], `the answer to ${target}`)
      }
      speaker.say(['presence', 1, []])
      await speaker.hear('reply', 1)
    },
  },
]

/** One message each way between two worlds, with bodies that must be translated where their encodings differ. */
export async function exchange(one: World, other: World): Promise<void> {
  const members = [await one.join(), await other.join()] as const
  for (const [from, to] of [members, [members[1], members[0]] as const]) {
    const body = { bytes: Uint8Array.of(1, 2, 3), big: 2n ** 60n, words: ['ä', null, 1.5] }
    from.speaker.say(['send', 1, 1, to.id, null, body])
    same(await heard(to), [1, from.id, from.outbox, 1, body], 'the message')
    to.speaker.say(['ack', 1])
    await from.speaker.hear('receipt', 'delivered', to.id, 1)
  }
}
