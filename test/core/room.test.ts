/** How a room is told to its members: from memory, and from the log. */
import { describe, expect, test } from 'vitest'
import type { Connected } from './recorder.ts'
import { alone, pageOf, recordOf, room, RoomDesk } from './room-desk.ts'

describe('a room message', () => {
  test('is told when the log has it, first to the members and then to its sender', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.quiet(alice)
    desk.send(alice, 1, room)
    desk.send(alice, 2, room)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['append #tea: alice out 1/1, alice out 2/2'])
    expect([alice.line.read(), bob.line.read()]).toEqual([[], []])
    desk.appended([1, 2])
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1', 'room #tea 2: alice out 2'])
    expect(alice.line.read().toSorted()).toEqual([
      'room #tea 1: alice out 1',
      'room #tea 2: alice out 2',
      'stored #tea 2',
    ])
  })

  test('goes with the next batch while one is under way', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.send(alice, 2, room)
    desk.send(alice, 3, room)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['append #tea: alice out 1/1'])
    desk.appended([1])
    expect(desk.calls.read()).toEqual(['append #tea: alice out 2/2, alice out 3/3'])
  })

  test('of another node is read from the log before those of this one are told', () => {
    const desk = alone()
    const alice = desk.within('alice', 4)
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.calls.read()
    desk.appended([7])
    expect(alice.line.read()).toEqual(['stored #tea 1'])
    expect(desk.calls.read()).toEqual(['page #tea after 4'])
    desk.rooms.paged(room, pageOf(5, 7))
    desk.hub.turn()
    expect(alice.line.read()).toEqual([
      'room #tea 5: carol out 5',
      'room #tea 6: carol out 6',
      'room #tea 7: carol out 7',
    ])
  })

  test('whose append was not answered comes by the log, once', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.hub.appended(room, null)
    desk.hub.turn()
    desk.calls.read()
    desk.pass(1_000)
    expect(desk.calls.read().toSorted()).toEqual(['append #tea: alice out 1/1', 'page #tea after 0'])
    desk.rooms.paged(room, pageOf(1, 1))
    desk.hub.appended(room, { kind: 'appended', outcomes: ['stored'], epoch: 'e1', last: 1 })
    desk.hub.turn()
    expect(alice.line.read().toSorted()).toEqual(['room #tea 1: carol out 1', 'stored #tea 1'])
    expect(desk.calls.read()).toEqual([])
  })

  test('is for the room that its sender was in, also when it is made again after another one has got the name', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.hub.appended(room, null)
    desk.hub.turn()
    desk.rooms.woken(room)
    desk.rooms.paged(room, pageOf(1, 0, 0, { epoch: 'f1' }))
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['leave #tea alice'])
    const bob = desk.connect('bob')
    desk.rooms.join(bob.session, 'bob', room, {})
    desk.hub.turn()
    desk.rooms.found(room, recordOf(0, { epoch: 'f1' }))
    desk.hub.turn()
    desk.quiet(bob)
    desk.calls.read()
    desk.send(bob, 1, room)
    desk.pass(1_000)
    expect(desk.calls.read()).toEqual(['append #tea: alice out 1/1'])
    desk.hub.appended(room, { kind: 'another_room' })
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['failed #tea 1: not_joined'])
    expect(desk.calls.read()).toEqual(['append #tea of f1: bob out 1/1'])
    desk.appended([1], 1, 'f1')
    expect(bob.line.read()).toEqual(['room #tea 1: bob out 1', 'stored #tea 1'])
  })

  test('is told although its sender was told to send it again meanwhile', () => {
    const desk = alone({ ackTimeoutMs: 1_000 })
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.pass(2_500)
    desk.quiet(alice, bob)
    desk.appended([1])
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1'])
  })

  test('that comes in pages is asked for page by page', () => {
    const desk = alone()
    const alice = desk.within('alice')
    desk.rooms.woken(room)
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page #tea after 0'])
    desk.rooms.paged(room, pageOf(1, 2, 3))
    desk.hub.turn()
    expect(alice.line.read()).toHaveLength(2)
    expect(desk.calls.read()).toEqual(['page #tea after 2'])
    // The last one was lost to damage.
    desk.rooms.paged(room, pageOf(4, 3, 3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([])
  })

  test('behind those that a page repeats is not passed over', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.rooms.woken(room)
    desk.hub.turn()
    expect(desk.calls.read().toSorted()).toEqual(['append #tea: alice out 1/1', 'page #tea after 0'])
    desk.appended([1])
    // The page was read after the append, and was full before it came to the message of another node.
    desk.rooms.paged(room, pageOf(1, 1, 2))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['page #tea after 1'])
    desk.rooms.paged(room, pageOf(2, 2))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1', 'room #tea 2: carol out 2'])
  })
})

describe('the log of a room', () => {
  test('is looked at when the first member comes, if others may write to it, and now and then', () => {
    const desk = new RoomDesk({ soleOwner: false, pollMs: 5_000 })
    const alice = desk.connect('alice')
    desk.rooms.join(alice.session, 'alice', room, {})
    desk.hub.turn()
    desk.calls.read()
    desk.rooms.found(room, recordOf(3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['report #tea, seen 0', 'page #tea after 3'])
    desk.rooms.reported(room, { mark: 1, stayed: [], everybody: [] })
    desk.rooms.paged(room, pageOf(4, 3, 3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['report #tea +alice, seen 1'])
    desk.rooms.reported(room, { mark: 2, stayed: [], everybody: null })
    desk.pass(5_000)
    expect(desk.calls.read()).toEqual(expect.arrayContaining(['report #tea, seen 2', 'page #tea after 3']))
  })

  test('is looked at once more some seconds after the last member went, since a store that falls back may have him here again', () => {
    const desk = new RoomDesk({ soleOwner: false, pollMs: 5_000 })
    const asked = (): readonly string[] => desk.calls.read().filter(call => call.includes(room))
    const alice = desk.connect('alice')
    desk.rooms.join(alice.session, 'alice', room, {})
    desk.hub.turn()
    desk.rooms.found(room, recordOf(3))
    desk.hub.turn()
    desk.rooms.reported(room, { mark: 1, stayed: [], everybody: [] })
    desk.rooms.paged(room, pageOf(4, 3, 3))
    desk.hub.turn()
    desk.rooms.reported(room, { mark: 2, stayed: [], everybody: null })
    desk.rooms.leave(alice.session, 'leave', room)
    desk.hub.turn()
    asked()
    desk.rooms.reported(room, { mark: 3, stayed: [], everybody: null })
    desk.hub.turn()
    expect(asked()).toEqual([])
    desk.pass(5_000)
    expect(asked()).toEqual(['report #tea, seen 3', 'page #tea after 3'])
    desk.rooms.reported(room, { mark: 3, stayed: [], everybody: null })
    desk.hub.turn()
    expect(asked()).toEqual([])
    desk.rooms.paged(room, pageOf(4, 3, 3, { epoch: 'e1.2', ended: [{ epoch: 'e1', last: 3 }] }))
    desk.hub.turn()
    expect(asked()).toEqual(['report #tea, seen 0'])
    const ghost = { id: 'alice', name: '', here: true }
    desk.rooms.reported(room, { mark: 3, stayed: [], everybody: [ghost] })
    desk.hub.turn()
    expect(asked()).toEqual(['report #tea -alice, seen 3'])
    desk.rooms.reported(room, { mark: 4, stayed: [], everybody: null })
    desk.hub.turn()
    expect(asked()).toEqual([])
    desk.pass(5_000)
    expect(asked()).toEqual(['report #tea, seen 4', 'page #tea after 3'])
    desk.rooms.reported(room, { mark: 4, stayed: [], everybody: null })
    desk.rooms.paged(room, pageOf(4, 3, 3, { epoch: 'e1.2', ended: [{ epoch: 'e1', last: 3 }] }))
    desk.hub.turn()
    expect(asked()).toEqual(['unfollow #tea'])
  })

  test('that has lost what members have seen sends them away', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice', 5), desk.within('bob')]
    desk.rooms.woken(room)
    desk.hub.turn()
    desk.quiet(alice, bob)
    desk.rooms.paged(room, pageOf(4, 4, 4, { epoch: 'e1.2', ended: [{ epoch: 'e1', last: 3 }] }))
    desk.hub.turn()
    expect([alice.line.read(), bob.line.read()]).toEqual([['leave #tea alice'], ['leave #tea bob']])
    desk.send(alice, 1, room)
    desk.send(bob, 1, room)
    desk.calls.read()
    desk.rooms.join(alice.session, 'again', room, { since: 5, epoch: 'e1' })
    desk.hub.turn()
    desk.rooms.found(room, recordOf(4, { epoch: 'e1.2', ended: [{ epoch: 'e1', last: 3 }] }))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['find #tea', 'append #tea: alice out 1/1'])
    expect(alice.line.read()).toEqual([
      'reply again: {"offset":4,"epoch":"e1.2","recovered":false,"members":1}',
      'join #tea alice',
    ])
    desk.rooms.leave(bob.session, 'leave', room)
    expect(bob.line.read()).toEqual(['failed #tea 1: not_joined', 'reply leave: null'])
  })

  test('that has another epoch and has lost nothing goes on', () => {
    const desk = alone()
    const alice = desk.within('alice', 5)
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.calls.read()
    desk.appended([6], 6, 'e1.2')
    expect(desk.calls.read()).toEqual(['page #tea after 5'])
    desk.rooms.paged(room, pageOf(6, 6, 6, { epoch: 'e1.2', ended: [{ epoch: 'e1', last: 5 }] }))
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['stored #tea 1', 'room #tea 6: carol out 6'])
  })
})

describe('comings and goings', () => {
  test('of many in one turn are told in one go, whatever their number', () => {
    const desk = alone()
    const alice = desk.within('alice')
    const others = ['bob', 'carol', 'dave'].map(id => desk.connect(id))
    for (const { session } of others) desk.rooms.join(session, 'join', room, {})
    desk.hub.turn()
    expect(desk.calls.read()).toContain('find #tea')
    desk.rooms.found(room, recordOf(0))
    desk.hub.turn()
    const joins = ['join #tea bob', 'join #tea carol', 'join #tea dave']
    expect(alice.line.read()).toEqual(joins)
    for (const { line } of others) expect(line.read().slice(1)).toEqual(joins)
    for (const { session } of others) session.bye()
    desk.hub.turn()
    expect(alice.line.read()).toEqual(['leave #tea bob', 'leave #tea carol', 'leave #tea dave'])
  })

  test('are not told while the node shuts down', () => {
    const desk = alone()
    const [alice, bob] = [desk.within('alice'), desk.within('bob')]
    desk.hub.drain()
    desk.quiet(alice)
    bob.session.close('restart')
    desk.hub.turn()
    expect(alice.line.read()).toEqual([])
  })
})

describe('a room of many', () => {
  const crowd = (desk: RoomDesk): Connected[] => {
    const members = Array.from({ length: 64 }, (_, i) => desk.connect(`member${i}`))
    for (const { session } of members) desk.rooms.join(session, 'join', room, {})
    desk.hub.turn()
    desk.rooms.found(room, recordOf(0))
    desk.hub.turn()
    desk.pass(500)
    desk.quiet(...members)
    desk.calls.read()
    return members
  }

  test('is told a message with the next one, if that is on its way, but waits 5 ms at most', () => {
    const desk = alone()
    const members = crowd(desk)
    const [alice, bob] = [members[0], members[1]]
    if (alice === undefined || bob === undefined) return expect.unreachable()
    const publish = (n: number): void => {
      desk.send(alice, n, room)
      desk.hub.turn()
    }
    publish(1)
    publish(2)
    desk.appended([1])
    expect(bob.line.read()).toEqual([])
    desk.appended([2])
    expect(bob.line.read()).toEqual(['room #tea 1: alice out 1', 'room #tea 2: alice out 2'].map(byFirst))
    publish(3)
    publish(4)
    desk.appended([3])
    desk.hub.clock(desk.hub.now + 5, desk.hub.time + 5)
    publish(5)
    desk.appended([4])
    expect(bob.line.read()).toHaveLength(2)
    // The store stands still, and the next tick tells what waits.
    publish(6)
    desk.appended([5])
    expect(bob.line.read()).toEqual([])
    desk.pass(250)
    expect(bob.line.read()).toHaveLength(1)
  })

  test('lets nobody in before what waits is told to those who are there', () => {
    const desk = alone()
    const members = crowd(desk)
    const [alice, bob] = [members[0], members[1]]
    if (alice === undefined || bob === undefined) return expect.unreachable()
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.send(alice, 2, room)
    desk.appended([1])
    expect(bob.line.read()).toEqual([])
    const carol = desk.connect('carol')
    desk.rooms.join(carol.session, 'join', room, {})
    desk.hub.turn()
    expect(bob.line.read()).toHaveLength(1)
    desk.rooms.found(room, recordOf(2))
    desk.hub.turn()
    desk.appended([2])
    expect(carol.line.read()).toEqual([
      expect.stringMatching(/^reply join: \{"offset":1,/),
      'join #tea carol',
      byFirst('room #tea 2: alice out 2'),
    ])
    expect(bob.line.read()).toHaveLength(2)
  })

  test('hears of comings and goings together, after a quarter of a second at most', () => {
    const desk = alone()
    const [alice, ...others] = crowd(desk)
    if (alice === undefined) return expect.unreachable()
    const newcomers = ['xaver', 'yves'].map(id => desk.within(id))
    for (const { session } of newcomers) session.bye()
    desk.hub.turn()
    expect(alice.line.read()).toEqual([])
    others[0]?.session.bye()
    desk.pass(250)
    expect(alice.line.read()).toEqual([
      'join #tea xaver',
      'join #tea yves',
      'leave #tea xaver',
      'leave #tea yves',
      'leave #tea member1',
    ])
  })
})

/** The first of the crowd speaks. */
function byFirst(line: string): string {
  return line.replace('alice', 'member0')
}
