/**
 * Every limit of a server at its edge: what is just within it goes, what is one more meets what the table of limits says.
 *
 * One row for each option that is a limit; the first test says so, and is red when one has no row.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/gateway/log.ts'
import { limitNames } from '../../src/options.ts'
import { startServer } from '../../src/server.ts'
import { attemptEdges } from './edges-of-attempts.ts'
import { connectionEdges } from './edges-of-connections.ts'
import { messageEdges } from './edges-of-messages.ts'
import { absent, alices, enter, send, start, stop } from './stage.ts'

const edges = { ...messageEdges, ...connectionEdges, ...attemptEdges }

afterEach(stop)

describe('the limits', () => {
  it('each have a row', () => {
    expect(Object.keys(edges).sort()).toEqual([...limitNames].sort())
  })

  it.each(Object.keys(edges))('%s', async name => {
    await edges[name]?.()
  })

  it('of the store hold anew when the options are read anew', async () => {
    const given = { port: 0, store: 'memory', maxLag: 60_000, mailboxMessages: 1 } as const
    const server = await start(given)
    const [alice, bob] = [await enter(alices), await absent()]
    send(alice, bob.id, 1, 2)
    expect(await alice.peer.next('failed')).toEqual(['failed', bob.id, 2, 'mailbox_full'])
    server.reload(() => ({ ...given, mailboxMessages: 2 }))
    send(alice, bob.id, 2, 3)
    expect(await alice.peer.next('failed')).toEqual(['failed', bob.id, 3, 'mailbox_full'])
    expect(alice.peer.heard).toContainEqual(['stored', bob.id, 2])
  })

  it('are said at the start', async () => {
    const said: Record<string, unknown>[] = []
    const log = {
      ...silentLog,
      info: (fields: object, text: string) => {
        if (text === 'limits') said.push({ ...fields })
      },
    }
    const server = await startServer({ port: 0, store: 'memory', window: 77 }, log)
    expect(Object.keys(said[0] ?? {}).sort()).toEqual([...limitNames].sort())
    expect(said[0]?.['window']).toBe(77)
    await server.close()
  })
})
