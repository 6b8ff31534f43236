/** Tabs of one origin, played in one process, at a real server. */
import { describe, expect, test } from 'vitest'
import { atBob, bob, bobId, identity, Page, settle, until } from '../pages.ts'

describe('several tabs', () => {
  test('are one client with one connection, and each hears of it', async () => {
    const pages = [new Page(), new Page(), new Page()]
    const ids = await Promise.all(pages.map(({ client }) => client.ready()))
    expect(new Set(ids).size).toBe(1)
    expect(pages.reduce((sum, { sockets }) => sum + sockets, 0)).toBe(1)
  })

  test('send and are told, whoever leads', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const sent = await Promise.all([one.client.send(bobId, 'one'), two.client.send(bobId, 'two', { key: 'mine' })])
    expect(await Promise.all(sent.map(({ delivered }) => delivered))).toEqual(['delivered', 'delivered'])
    expect(sent.map(({ outbox }) => outbox)).toEqual([sent[0].outbox, sent[0].outbox])
    expect([...atBob].sort()).toEqual(['one', 'two'])
    await until(() => one.receipts.some(({ key }) => key === 'mine'))
  })

  test('keep the order of each', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const sends = Array.from({ length: 300 }, (_, i) => [
      one.client.send(bobId, `one ${i}`),
      two.client.send(bobId, `two ${i}`),
    ])
    await Promise.all(sends.flat())
    await until(() => atBob.length === 600)
    for (const name of ['one', 'two']) {
      expect(atBob.filter(body => String(body).startsWith(name))).toEqual(sends.map((_, i) => `${name} ${i}`))
    }
  })

  test('show every message, and ack it once', async () => {
    const [one, two] = [new Page(), new Page()]
    const id = await one.client.ready()
    await two.client.ready()
    const sent = await Promise.all([1, 2, 3].map(n => bob.send(id, n)))
    await Promise.all(sent.map(({ delivered }) => delivered))
    await until(() => two.shown.length === 3)
    expect([one.shown, two.shown]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test('need only one that listens', async () => {
    const [one, two] = [new Page({ listens: false }), new Page()]
    const id = await one.client.ready()
    await two.client.ready()
    const sent = await bob.send(id, 'hello')
    expect(await sent.delivered).toBe('delivered')
    expect(two.shown).toEqual(['hello'])
  })

  test('answer each what it asked', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const online = await Promise.all([one.client.presence([bobId]), two.client.presence([bobId, 'nobody'])])
    expect(online).toEqual([{ [bobId]: true }, { [bobId]: true, nobody: false }])
  })

  test('rotate the secret from any of them', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const before = identity.load()?.secret
    await two.client.rotateSecret()
    await until(() => identity.load()?.secret !== before)
  })

  test('pass signals on to all', async () => {
    const [one, two] = [new Page(), new Page()]
    const id = await one.client.ready()
    await two.client.ready()
    const heard: unknown[] = []
    for (const { client } of [one, two]) client.on('signal', ({ body }) => heard.push(body))
    bob.on('signal', ({ body }) => heard.push(`bob ${String(body)}`))
    bob.signal(id, 'typing')
    two.client.signal(bobId, 'too')
    await until(() => heard.length === 3)
    expect([...heard].sort()).toEqual(['bob too', 'typing', 'typing'])
  })
})

describe('the leader', () => {
  test('is followed by another tab when it closes, under the same id', async () => {
    const [one, two] = [new Page(), new Page()]
    const id = await one.client.ready()
    await two.client.ready()
    await one.client.close()
    expect(one.state).toBe('closed')
    await until(() => two.sockets === 1 && two.state === 'connected')
    expect(two.client.id).toBe(id)
    await two.client.send(bobId, 'still here')
    expect(atBob).toEqual(['still here'])
  })

  test('dies, and what the others send arrives once', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const sends: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) {
      sends.push(two.client.send(bobId, i))
      if (i === 20) one.kill()
      if (i % 5 === 0) await new Promise(resolve => setTimeout(resolve, 1))
    }
    await Promise.all(sends)
    await until(() => atBob.length >= 50)
    await settle()
    expect(atBob).toEqual(sends.map((_, i) => i))
  })

  test('dies, and what it had taken is sent by the next', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const sent = one.client.send(bobId, 'last words')
    sent.catch(() => {})
    await settle()
    one.kill()
    await until(() => two.state === 'connected' && two.sockets === 1)
    await until(() => atBob.length > 0)
    await settle()
    expect(atBob).toEqual(['last words'])
  })

  test('dies with a message in its hands, and the next shows it once', async () => {
    const [one, two] = [new Page({ listens: false }), new Page({ listens: false })]
    const id = await one.client.ready()
    await two.client.ready()
    const shown: unknown[] = []
    one.client.on('message', () => new Promise<void>(() => {}))
    const begun = new Promise<void>(resolve => {
      two.client.on('message', async ({ body }) => {
        shown.push(body)
        resolve()
        await settle()
        await settle()
      })
    })
    const sent = bob.send(id, 'fragile')
    await begun
    one.kill()
    await until(() => two.sockets === 1 && two.state === 'connected')
    expect(await (await sent).delivered).toBe('delivered')
    expect(shown).toEqual(['fragile'])
  })

  test.each(['sleep', 'freeze'] as const)(
    'lets go when its page goes to %s, and comes back as one of the others',
    async way => {
      const [one, two] = [new Page(), new Page()]
      const id = await one.client.ready()
      await two.client.ready()
      one.tab[way]()
      await until(() => two.sockets === 1 && two.state === 'connected')
      const sent = await bob.send(id, 'while you slept')
      expect(await sent.delivered).toBe('delivered')
      one.tab[way === 'sleep' ? 'wake' : 'resume']()
      await until(() => one.state === 'connected' && one.missed === 1)
      expect([one.sockets, one.shown, two.shown]).toEqual([1, [], ['while you slept']])
      await bob.send(id, 'and now')
      await until(() => one.shown.length === 1)
    },
  )

  test('misses nothing in its sleep when it is alone', async () => {
    const one = new Page()
    const id = await one.client.ready()
    one.tab.sleep()
    const sent = await bob.send(id, 'for later')
    expect(sent.status).toBe('stored')
    one.tab.wake()
    expect(await sent.delivered).toBe('delivered')
    expect([one.shown, one.missed]).toEqual([['for later'], 0])
  })
})

describe('a page', () => {
  test('sends what was written before it was loaded again, once', async () => {
    const one = new Page()
    const id = await one.client.ready()
    one.client.send(bobId, 'a').catch(() => {})
    one.client.send(bobId, 'b', { key: 'b' }).catch(() => {})
    // No turn of the loop later.
    one.tab.sleep()
    one.kill()
    const again = new Page()
    expect(await again.client.ready()).toBe(id)
    await until(() => atBob.length >= 2)
    await until(() => again.receipts.some(({ key, status }) => key === 'b' && status === 'delivered'))
    expect(atBob).toEqual(['a', 'b'])
  })

  test('that follows leaves its letters to the others when it goes', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    two.client.send(bobId, 'goodbye').catch(() => {})
    two.tab.sleep()
    two.kill()
    await one.client.send(bobId, 'hello')
    await until(() => atBob.length >= 2, 'both arrive')
    expect([...atBob].sort()).toEqual(['goodbye', 'hello'])
  })

  test('shows nothing again that an earlier one has dealt with', async () => {
    const one = new Page()
    const id = await one.client.ready()
    const sent = await bob.send(id, 1)
    expect(await sent.delivered).toBe('delivered')
    one.kill()
    const again = new Page()
    await again.client.ready()
    const next = await bob.send(id, 2)
    expect(await next.delivered).toBe('delivered')
    expect(again.shown).toEqual([2])
  })

  test('in a room hears it with the others, and the last to leave leaves', async () => {
    const [one, two] = [new Page(), new Page()]
    await Promise.all([one.client.ready(), two.client.ready()])
    const heard: string[] = []
    await bob.rooms.create('#den')
    const rooms = await Promise.all([one, two].map(({ client }) => client.rooms.join('#den')))
    rooms.forEach((room, i) => room.on('message', ({ body }) => void heard.push(`${i} ${String(body)}`)))
    const bobs = await bob.rooms.join('#den')
    await bobs.send('hi')
    await until(() => heard.length === 2)
    expect([...heard].sort()).toEqual(['0 hi', '1 hi'])
    rooms[0]?.leave()
    await settle()
    expect((await bobs.members()).members).toHaveLength(2)
    one.kill()
    await until(() => two.sockets === 1 && rooms[1]?.present === true)
    await rooms[1]?.send('after all')
    await until(() => heard.includes('1 after all'))
    rooms[1]?.leave()
    await until(() => rooms[1]?.present === false)
    await expect.poll(async () => (await bobs.members()).members.length).toBe(1)
  })
})

describe('without locks', () => {
  test('the newest tab leads, the other is told and can be used again', async () => {
    const one = new Page({ locks: false })
    const id = await one.client.ready()
    const two = new Page({ locks: false })
    expect(await two.client.ready()).toBe(id)
    await until(() => one.state === 'closed')
    expect(one.client.status).toMatchObject({ state: 'closed', reason: 'replaced' })
    await settle()
    expect(two.state).toBe('connected')
    one.client.reconnect()
    await until(() => one.state === 'connected' && two.state === 'closed')
    await settle()
    expect([one.sockets, two.sockets]).toEqual([2, 1])
  })

  test('what the other still sends is sent by the one that leads', async () => {
    const one = new Page({ locks: false })
    await one.client.ready()
    const two = new Page({ locks: false })
    await two.client.ready()
    await until(() => one.state === 'closed')
    const sent = await one.client.send(bobId, 'from elsewhere')
    expect(sent.status).toBe('delivered')
    expect(atBob).toEqual(['from elsewhere'])
  })

  test('a tab that comes back from sleep does not take it from another', async () => {
    const one = new Page({ locks: false })
    await one.client.ready()
    one.tab.sleep()
    const two = new Page({ locks: false })
    await two.client.ready()
    one.tab.wake()
    await until(() => one.state === 'closed')
    expect(two.state).toBe('connected')
  })
})
