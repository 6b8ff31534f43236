/**
 * Every limit of a server at its edge: what is just within it goes, what is one more meets what the table of limits says.
 *
 * One row for each option that is a limit; the first test says so, and is red when one has no row.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/gateway/log.ts'
import { limitNames } from '../../src/options.ts'
import { startServer } from '../../src/server.ts'
import { connectionEdges } from './edges-of-connections.ts'
import { messageEdges } from './edges-of-messages.ts'
import { stop } from './stage.ts'

const edges = { ...messageEdges, ...connectionEdges }

afterEach(stop)

describe('the limits', () => {
  it('each have a row', () => {
    expect(Object.keys(edges).sort()).toEqual([...limitNames].sort())
  })

  it.each(Object.keys(edges))('%s', async name => {
    await edges[name]?.()
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
