/** How one who joins a room behind an offset is fed of its log, until he is one of its members. */
import { describe, expect, test } from 'vitest'
import { bodyOf } from './recorder.ts'
import { alone, pageOf, recordOf, room, RoomDesk } from './room-desk.ts'

describe('one who joins behind an offset', () => {
  test('is fed until it meets the others, then told, then live', () => {
    const desk = alone()
    const alice = desk.within('alice', 6)
    const bob = desk.joining('bob', 2, 6)
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 2'])
    desk.rooms.fed(desk.fed, pageOf(3, 4, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['room #tea 3: carol out 3', 'room #tea 4: carol out 4'])
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 4'])
    desk.rooms.fed(desk.fed, pageOf(5, 6, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      ...['room #tea 5: carol out 5', 'room #tea 6: carol out 6'],
      ...['reply bob: {"offset":6,"epoch":"e1","recovered":true,"members":2}', 'join #tea bob'],
    ])
    expect(alice.line.read()).toEqual(['join #tea bob'])
  })

  test('is given from memory what was said while it was fed', () => {
    const desk = alone()
    const alice = desk.within('alice', 3)
    const bob = desk.joining('bob', 2, 3)
    desk.send(alice, 1, room)
    desk.hub.turn()
    desk.appended([4])
    expect(bob.line.read()).toEqual([])
    desk.calls.read()
    desk.rooms.fed(desk.fed, pageOf(3, 3))
    desk.hub.turn()
    expect(desk.calls.read()).toEqual([])
    expect(bob.line.read().slice(0, 2)).toEqual(['room #tea 3: carol out 3', 'room #tea 4: alice out 1'])
  })

  test('is told nothing twice when its page is ahead of its node', () => {
    const desk = alone()
    const alice = desk.within('alice', 3)
    const bob = desk.joining('bob', 2, 5)
    desk.calls.read()
    desk.rooms.fed(desk.fed, pageOf(3, 5))
    desk.hub.turn()
    expect(bob.line.read()).toHaveLength(3)
    expect(desk.calls.read()).toEqual(['page #tea after 3'])
    desk.rooms.paged(room, pageOf(4, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      'room #tea 6: carol out 6',
      'reply bob: {"offset":6,"epoch":"e1","recovered":true,"members":2}',
      'join #tea bob',
    ])
    expect(alice.line.read()).toHaveLength(4)
  })

  test('waits some seconds for the roll, and is let in without it when it does not come', () => {
    const desk = new RoomDesk({ soleOwner: false })
    const bob = desk.joining('bob', 2, 2)
    desk.rooms.paged(room, pageOf(3, 2, 2))
    for (let second = 1; second < 5; second++) {
      desk.rooms.reported(room, null)
      desk.pass(1_000)
      expect(desk.calls.read()).toContain('report #tea, seen 0')
    }
    expect(bob.line.read()).toEqual([])
    desk.pass(1_000)
    expect(bob.line.read()).toEqual([
      'reply bob: {"offset":2,"epoch":"e1","recovered":true,"members":1}',
      'join #tea bob',
    ])
    // Signals are for the other nodes, too, since somebody may be there.
    desk.rooms.signal(bob.session, room, bodyOf(1))
    expect(desk.calls.read()).toContain('signal of bob to #tea')
    desk.rooms.reported(room, { mark: 7, stayed: [], everybody: [{ id: 'carl', name: 'Carl', here: false }] })
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['join #tea carl called Carl'])
    expect(desk.calls.read()).toContain('report #tea +bob, seen 7')
  })

  test('waits for a page while it does not read', () => {
    const desk = alone()
    const bob = desk.connect('bob')
    bob.line.unread = 1024 * 1024
    desk.rooms.join(bob.session, 'bob', room, { since: 0 })
    desk.hub.turn()
    desk.calls.read()
    desk.rooms.found(room, recordOf(3))
    desk.hub.turn()
    desk.pass(1_000)
    expect(desk.calls.read()).toEqual([])
    bob.line.unread = 0
    desk.pass(250)
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 0'])
  })

  test('and whose next page begins beyond it is not recovered', () => {
    const desk = alone()
    const bob = desk.joining('bob', 2, 6)
    desk.rooms.fed(desk.fed, pageOf(5, 6, 6, { first: 5 }))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      'reply bob: {"offset":6,"epoch":"e1","recovered":false,"members":1}',
      'join #tea bob',
    ])
  })

  test('and has seen what the log has lost while it was fed is not recovered', () => {
    const desk = alone()
    const bob = desk.joining('bob', 4, 6)
    const lost = { epoch: 'e1.2', ended: [{ epoch: 'e1', last: 3 }] }
    desk.rooms.fed(desk.fed, pageOf(4, 4, 4, lost))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([
      'reply bob: {"offset":4,"epoch":"e1.2","recovered":false,"members":1}',
      'join #tea bob',
    ])
  })

  test('must ask again when there is another room of that name by then, and is fed nothing of the one before', () => {
    const desk = alone()
    const carol = desk.within('carol', 8)
    const bob = desk.joining('bob', 2, 8)
    const page = desk.fed
    desk.rooms.woken(room)
    desk.rooms.paged(room, pageOf(1, 0, 9, { epoch: 'e9' }))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['error bob: unavailable'])
    desk.rooms.fed(page, pageOf(3, 8))
    expect(bob.line.read()).toEqual([])
    expect(carol.line.read()).toEqual([expect.stringMatching(/^leave #tea/)])
  })

  test('is not given from memory what a room said that is gone', () => {
    const desk = alone()
    const alice = desk.within('alice', 3)
    const bob = desk.connect('bob')
    desk.rooms.join(bob.session, 'bob', room, { since: 3 })
    desk.hub.turn()
    desk.send(alice, 1, room)
    desk.send(alice, 2, room)
    desk.hub.turn()
    desk.appended([4, 5])
    desk.rooms.deleted({ session: alice.session, ref: 'd', room }, true)
    desk.calls.read()
    desk.rooms.found(room, recordOf(5, { epoch: 'e2' }))
    desk.hub.turn()
    expect(bob.line.read()).toEqual([])
    expect(desk.calls.read()).toEqual(['feed bob in #tea after 3'])
  })

  test('is refused when the store does not answer, and what it sent is handed back', () => {
    const desk = alone()
    const bob = desk.joining('bob', 2, 6)
    desk.send(bob, 1, room)
    desk.rooms.fed(desk.fed, null)
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['error bob: unavailable', 'retry #tea 1: unavailable, 1000 ms'])
    expect(desk.hub.custody.bytes).toBe(0)
  })

  test('and ends meanwhile leaves nothing behind', () => {
    const desk = alone()
    const bob = desk.joining('bob', 2, 6)
    desk.send(bob, 1, room)
    bob.session.bye()
    desk.rooms.fed(desk.fed, pageOf(3, 6))
    desk.hub.turn()
    expect(bob.line.read()).toEqual(['end'])
    expect(desk.hub.custody.bytes).toBe(0)
  })
})
