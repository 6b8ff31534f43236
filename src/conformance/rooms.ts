/** Checks of rooms: §3, §4, §5.9, §6.6 and §6.7. Each makes a room of its own and deletes it. */
import { holds, mapAt, newOutbox, same, type Check, type Member, type World } from './check.ts'
import type { Frame } from './speaker.ts'

/** Asks, and hears the reply. */
async function ask({ speaker }: Member, op: string, ...rest: readonly unknown[]): Promise<unknown> {
  speaker.say([op, op, ...rest])
  return (await speaker.hear('reply', op))[2]
}

/** Asks, and hears the code of the error. */
async function refused({ speaker }: Member, op: string, ...rest: readonly unknown[]): Promise<unknown> {
  speaker.say([op, op, ...rest])
  return (await speaker.hear('error', op))[2]
}

/** Asks, and hears a reply that is a map. */
async function asked(
  member: Member,
  op: string,
  ...rest: readonly unknown[]
): Promise<Readonly<Record<string, unknown>>> {
  return mapAt(['reply', await ask(member, op, ...rest)], 1)
}

/** The part of a room message that does not depend on the clock: offset, from, n, body. */
async function heard({ speaker }: Member, room: string): Promise<readonly unknown[]> {
  const [, , offset, from, , n, , body] = await speaker.hear('room', room)
  return [offset, from, n, body]
}

/** The owner of a fresh room, who is in it, and somebody who is not. */
async function withRoom(
  world: World,
  options: Readonly<Record<string, unknown>> | null,
  run: (alice: Member, bob: Member, room: string) => Promise<void>,
): Promise<void> {
  const [alice, bob] = [await world.join({ name: 'Alice' }), await world.join({ name: 'Bob' })]
  const room = `#${newOutbox()}`
  same(await ask(alice, 'create', room, options), null, 'the reply to create')
  await asked(alice, 'join', room)
  await run(alice, bob, room)
  same(await ask(alice, 'delete', room), null, 'the reply to delete')
}

function say(member: Member, room: string, ...numbers: readonly number[]): void {
  member.speaker.say(...numbers.map(n => ['send', n, 1, room, null, `message ${n}`]))
}

/** The offsets of a page of history. */
function offsetsOf({ messages }: Readonly<Record<string, unknown>>): unknown {
  return Array.isArray(messages) ? messages.map((message: Frame) => message[0]) : messages
}

export const roomChecks: readonly Check[] = [
  {
    clause: '§4',
    does: 'tells every member of a room each message under its offset, and then its sender that it is stored',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        const { offset, recovered, members } = await asked(bob, 'join', room)
        same([offset, recovered, members], [0, false, 2], 'the reply to join')
        say(alice, room, 1, 2)
        for (const member of [alice, bob])
          for (const n of [1, 2]) same(await heard(member, room), [n, alice.id, n, `message ${n}`], `message ${n}`)
        await alice.speaker.hear('receipt', 'stored', room, 2)
        say(bob, room, 1)
        same(await heard(alice, room), [3, bob.id, 1, 'message 1'], 'what the other says')
      }),
  },
  {
    clause: '§3',
    does: 'gives who joins behind an offset what was said since, before the reply, and says when it cannot',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        const { epoch } = await asked(bob, 'join', room)
        say(alice, room, 1)
        await bob.speaker.hear('room', room, 1)
        same(await ask(bob, 'leave', room), null, 'the reply to leave')
        say(alice, room, 2, 3)
        await alice.speaker.hear('receipt', 'stored', room, 3)
        bob.speaker.say(['join', 'again', room, { since: 1, epoch }])
        for (const n of [2, 3]) same((await heard(bob, room))[0], n, 'the next offset')
        const reply = mapAt(await bob.speaker.hear('reply', 'again'), 2)
        same([reply['offset'], reply['epoch'], reply['recovered']], [3, epoch, true], 'the reply to join')
        await ask(bob, 'leave', room)
        same((await asked(bob, 'join', room, { since: 1, epoch: 'another' }))['recovered'], false, 'of another log')
        await ask(bob, 'leave', room)
        same((await asked(bob, 'join', room, { since: 99, epoch }))['recovered'], false, 'beyond the end')
      }),
  },
  {
    clause: '§6.9',
    does: 'says before it whose epoch that is, to who has not named it and wishes to hear of epochs',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        say(alice, room, 1)
        await alice.speaker.hear('receipt', 'stored', room, 1)
        bob.speaker.say(['join', 'first', room, { since: 0, epochs: true }])
        const first = mapAt(await bob.speaker.hear('reply', 'first'), 2)
        same([first['offset'], first['recovered'], first['members']], [0, true, undefined], 'what comes first')
        same((await heard(bob, room))[0], 1, 'the next offset')
        const { offset, epoch } = mapAt(await bob.speaker.hear('reply', 'first'), 2)
        same([offset, epoch], [1, first['epoch']], 'the reply to join')
        await ask(bob, 'leave', room)
        bob.speaker.say(['join', 'named', room, { since: 0, epoch, epochs: true }])
        same((await heard(bob, room))[0], 1, 'the next offset')
        same(mapAt(await bob.speaker.hear('reply', 'named'), 2)['members'], 2, 'how many are there')
      }),
  },
  {
    clause: '§5.9',
    does: 'keeps what is sent together with a join until the join is done',
    run: world =>
      withRoom(world, null, async (_alice, bob, room) => {
        bob.speaker.say(['join', 'join', room, null], ['send', 1, 1, room, null, 'at once'])
        same((await heard(bob, room))[3], 'at once', 'what was sent with the join')
        await bob.speaker.hear('receipt', 'stored', room, 1)
      }),
  },
  {
    clause: '§5.9',
    does: 'appends what is offered again once, and nothing that leaves a number out',
    run: world =>
      withRoom(world, null, async ({ speaker }, bob, room) => {
        await asked(bob, 'join', room)
        speaker.say(['send', 2, 1, room, null, 'two'])
        same((await speaker.hear('receipt', 'retry', room))[3], 1, 'the number that is missing')
        speaker.say(...[1, 2, 1, 2].map(n => ['send', n, 1, room, null, n]))
        for (const n of [1, 2]) same((await heard(bob, room))[0], n, 'the next offset')
        await speaker.hear('receipt', 'stored', room, 2)
        speaker.say(['sync', 'sync', room])
        same(mapAt(await speaker.hear('reply', 'sync'), 2)['last'], 2, 'the last number that was taken')
        speaker.say(['send', 3, 3, room, null, 'three'])
        same((await heard(bob, room))[0], 3, 'the next offset')
      }),
  },
  {
    clause: '§9',
    does: 'says why a room cannot be entered, made, left, deleted or spoken to',
    run: world =>
      withRoom(world, { password: 'sesame', private: true }, async (alice, bob, room) => {
        same(await refused(alice, 'create', room, null), 'room_exists', 'a name that is taken')
        same(await refused(alice, 'create', 'no room', null), 'bad_id', 'a name that is none')
        same(await refused(bob, 'join', `${room}-2`, null), 'no_such_room', 'a room that is none')
        same(await refused(bob, 'join', room, null), 'bad_password', 'no password')
        same(await refused(bob, 'join', room, { password: 'melon' }), 'bad_password', 'a wrong password')
        same(await refused(bob, 'leave', room), 'not_joined', 'leaving a room that one is not in')
        same(await refused(bob, 'history', room, null), 'not_joined', 'the history of a room that one is not in')
        same(await refused(bob, 'delete', room), 'forbidden', 'a room of somebody else')
        bob.speaker.say(['send', 1, 1, room, null, 'hi'])
        same((await bob.speaker.hear('receipt', 'failed', room))[4], 'not_joined', 'a send')
        await asked(bob, 'join', room, { password: 'sesame' })
      }),
  },
  {
    clause: '§3',
    does: 'gives pages of the log both ways, by sender, oldest first',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        await asked(bob, 'join', room)
        say(alice, room, 1, 2, 3)
        await bob.speaker.hear('room', room, 3)
        say(bob, room, 1)
        await bob.speaker.hear('receipt', 'stored', room, 1)
        const whole = await asked(bob, 'history', room, null)
        same([offsetsOf(whole), whole['first'], whole['last']], [[1, 2, 3, 4], 1, 4], 'the whole log')
        for (const [which, offsets] of [
          [{ limit: 2 }, [3, 4]],
          [{ limit: 2, before: 4 }, [2, 3]],
          [{ limit: 2, after: 1 }, [2, 3]],
          [{ from: alice.id }, [1, 2, 3]],
          [{ after: 4 }, []],
        ] as const) {
          same(offsetsOf(await asked(bob, 'history', room, which)), offsets, `history ${JSON.stringify(which)}`)
        }
      }),
  },
  {
    clause: '§6.8',
    does: 'tells who comes and goes, and who is there',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        await asked(bob, 'join', room)
        same((await alice.speaker.hear('members', room, 'join', bob.id))[4], 'Bob', 'the name')
        const { members, next } = await asked(alice, 'members', room, { limit: 1 })
        const [first, second] = [
          [alice.id, 'Alice'],
          [bob.id, 'Bob'],
        ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
        same([members, next], [[first], first?.[0]], 'the first page of members')
        same((await asked(alice, 'members', room, { after: next }))['members'], [second], 'the second')
        bob.speaker.say(['bye'])
        await alice.speaker.hear('members', room, 'leave', bob.id)
      }),
  },
  {
    clause: '§3',
    does: 'passes a signal to the others in a room',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        await asked(bob, 'join', room)
        alice.speaker.say(['signal', room, 'typing'], ['ping'])
        same((await bob.speaker.hear('signal'))[3], 'typing', 'the signal')
        await alice.speaker.hear('pong')
        holds(!alice.speaker.hasHeard('signal'), 'a signal came back to its sender')
      }),
  },
  {
    clause: '§6.7',
    does: 'puts its members out of a room that is deleted',
    run: world =>
      withRoom(world, null, async (alice, bob, room) => {
        await asked(bob, 'join', room)
        same(await ask(alice, 'delete', room), null, 'the reply to delete')
        await bob.speaker.hear('members', room, 'leave', bob.id)
        same(await refused(bob, 'join', room, null), 'no_such_room', 'a room that was deleted')
        same(await ask(alice, 'create', room, null), null, 'the reply to create')
      }),
  },
  {
    clause: '§3',
    does: 'has a lobby that anybody may enter',
    run: async (world: World): Promise<void> => {
      const { recovered } = await asked(await world.join(), 'join', '#lobby', null)
      same(recovered, false, 'recovered')
    },
  },
]
