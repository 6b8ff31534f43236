import { beforeEach, describe, expect, test } from 'vitest'
import { bodyOf, Desk, entryOf, type Connected } from './recorder.ts'

let desk: Desk
let bob: Connected

beforeEach(() => {
  desk = new Desk()
  bob = desk.connect('bob')
  desk.calls.read()
  bob.line.read()
})

describe('Session', () => {
  test('is ready from its bind to its end', () => {
    const { session } = desk.hello('carol')
    expect([session.ready, session.gone]).toEqual([false, false])
    session.bind('carol', '1:nonce', false, false)
    expect([session.ready, session.id, session.token]).toEqual([true, 'carol', '1:nonce'])
    session.leave(false, false)
    expect([session.ready, session.gone]).toEqual([false, true])
  })

  test('takes the smaller of the window that is wanted and the one that is allowed', () => {
    expect(desk.hello('carol', { window: 5 }).session.window).toBe(5)
    expect(desk.hello('carol', { window: 4_096 }).session.window).toBe(256)
  })

  test('ends once, with one close', () => {
    bob.session.close('kicked')
    bob.session.close('replaced')
    bob.session.bye()
    desk.hub.closed(bob.session)
    expect(bob.line.read()).toEqual(['close kicked'])
    expect(desk.calls.read()).toEqual(['unbind bob 1:nonce'])
  })

  test('closes with a time to come back after', () => {
    bob.session.close('restart', 'Come back.', 2_000)
    expect(bob.line.read()).toEqual(['close restart for 2000 ms'])
  })

  test('ends without a close frame at bye (§3)', () => {
    bob.session.bye()
    expect(bob.line.read()).toEqual(['end'])
  })

  test('says nothing when its pipe has ended', () => {
    desk.hub.closed(bob.session)
    expect(bob.line.read()).toEqual([])
  })

  test('is forgotten before anything else is done at its end', () => {
    bob.session.close('kicked')
    expect(desk.hub.session('bob')).toBeUndefined()
    expect(desk.hub.stats.sessions).toBe(0)
  })

  test('may end before it was bound', () => {
    const carol = desk.hello('carol')
    desk.calls.read()
    carol.session.close('timeout')
    expect(carol.line.read()).toEqual(['close timeout'])
    expect(desk.calls.read()).toEqual([])
  })

  test.each([
    ['ack', () => bob.session.ack(1)],
    ['nack', () => bob.session.nack(1, 'spam')],
  ])('closes with bad_frame at an %s of what was never sent (§8)', (_frame, act) => {
    act()
    expect(bob.line.read()).toEqual(['close bad_frame'])
  })

  test('is deaf to acks after its end', () => {
    bob.session.close('kicked')
    bob.line.read()
    bob.session.ack(99)
    bob.session.nack(99, '')
    expect(bob.line.read()).toEqual([])
  })

  test('does not take sends before it is bound', () => {
    const carol = desk.hello('carol')
    desk.calls.read()
    carol.session.send(1, 1, 'bob', 0, bodyOf(1))
    desk.hub.turn()
    expect([carol.line.read(), desk.calls.read()]).toEqual([[], []])
  })

  test('asks the store for a sync of its own stream', () => {
    bob.session.sync('ref', 'carol')
    expect(desk.calls.read()).toEqual(['sync bob ref: bob out in carol'])
  })

  test('refuses a sync with what is no id', () => {
    bob.session.sync('ref', 'no id')
    expect(bob.line.read()).toEqual(['error ref: bad_id'])
  })

  test('signals who is here, and nobody else (§3)', () => {
    const carol = desk.connect('carol')
    bob.session.signal('carol', bodyOf(1))
    bob.session.signal('nobody', bodyOf(1))
    expect(carol.line.read()).toEqual(['signal from bob to carol'])
    bob.session.rights = { ...bob.session.rights, targets: ['dave'] }
    bob.session.signal('carol', bodyOf(1))
    expect(carol.line.read()).toEqual([])
    expect(bob.line.read()).toEqual(['error nil: forbidden'])
    expect(desk.calls.read().filter(call => call.startsWith('enqueue'))).toEqual([])
  })

  test('tells who is online', () => {
    const ids = ['bob', 'carol', '__proto__']
    bob.session.presence(7, ids)
    expect(desk.calls.read()).toEqual(['online bob 7: bob, carol, __proto__'])
    bob.session.online(7, ids, new Set())
    bob.session.online(7, ids, new Set(['carol']))
    bob.session.online(7, ids, null)
    expect(bob.line.read()).toEqual([
      'reply 7: {"bob":true,"carol":false,"__proto__":false}',
      'reply 7: {"bob":true,"carol":true,"__proto__":false}',
      'error 7: unavailable',
    ])
  })

  test('tells who is online without asking the store when all are here, or nobody can be elsewhere', () => {
    bob.session.presence(7, ['bob'])
    const alone = new Desk({ soleOwner: true })
    const alice = alone.connect('alice')
    alice.session.presence(8, ['alice', 'bob'])
    expect([desk.calls.read(), alone.calls.read()]).toEqual([[], []])
    expect([bob.line.read(), alice.line.read()]).toEqual([
      ['reply 7: {"bob":true}'],
      ['reply 8: {"alice":true,"bob":false}'],
    ])
  })

  test('tells nothing of those to whom it may not send', () => {
    desk.connect('carol')
    bob.session.rights = { ...bob.session.rights, targets: ['dave', 'erin'] }
    bob.session.presence(7, ['carol', 'dave', 'frank'])
    bob.session.online(7, ['carol', 'dave', 'frank'], new Set(['dave', 'frank']))
    expect(bob.line.read()).toEqual(['reply 7: {"carol":false,"dave":true,"frank":false}'])
  })

  test('tells of 200 ids at most', () => {
    const ids = Array.from({ length: 201 }, (_, index) => `friend${index}`)
    bob.session.presence(7, ids)
    expect(bob.line.read()).toEqual(['error 7: too_large'])
    bob.session.presence(7, ids.slice(1))
    expect([bob.line.read(), desk.calls.read()]).toMatchObject([[], { length: 1 }])
  })

  test('asks for a new secret when a secret proves its id', () => {
    const carol = desk.connect('carol', { secretHash: new Uint8Array(32) })
    desk.calls.read()
    carol.session.rotate('ref')
    expect(desk.calls.read()).toEqual(['rotate carol'])
  })

  test('has no new secret when a token proves its id', () => {
    bob.session.rotate('ref')
    expect(bob.line.read()).toEqual(['error ref: forbidden'])
    expect(desk.calls.read()).toEqual([])
  })

  test('closes when its client floods', () => {
    desk = new Desk({ sendWindow: 1 })
    bob = desk.connect('bob')
    for (let count = 0; count < 11; count++) bob.session.send(count === 0 ? 1 : 2, 1, 'carol', 0, bodyOf(1))
    expect(bob.line.read().at(-1)).toBe('close flood')
  })

  test('parks what it held when it ends, and its mailbox keeps what it had', () => {
    const alice = desk.connect('alice')
    desk.hub.woken('bob')
    desk.hub.turn()
    desk.page(bob, [entryOf(1)])
    desk.send(alice, 2)
    desk.calls.read()
    bob.session.bye()
    desk.hub.turn()
    expect(desk.calls.read()).toEqual(['unbind bob 1:nonce', 'enqueue bob: alice out 2/2'])
  })
})
