import { afterEach, describe, expect, it } from 'vitest'
import { createHttp } from '../../src/gateway/http.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { HttpAnswer } from '../../src/transport/transport.ts'
import { exchange, House } from './house.ts'

class SickStore extends MemoryStore {
  override check(): Promise<void> {
    return Promise.reject(new Error('the disk is gone'))
  }
}

describe('what is answered over HTTP', () => {
  let house = new House()
  const get = (path: string, method = 'GET'): Promise<HttpAnswer> =>
    createHttp(house.gateway, house.store, 100)({ method, path })

  afterEach(() => {
    house.close()
    house = new House()
  })

  it('is well as long as the process lives, whatever the store does', async () => {
    house.close()
    house = new House({}, new SickStore())
    expect((await get('/healthz')).status).toBe(200)
  })

  it('is ready with a reason for each check', async () => {
    const { status, body } = await get('/readyz')
    expect(status).toBe(200)
    expect(Object.keys((JSON.parse(body) as { checks: object }).checks)).toEqual(['store', 'draining', 'lag'])
  })

  it('is not ready without the store', async () => {
    house.close()
    house = new House({}, new SickStore())
    const { status, body } = await get('/readyz')
    expect(status).toBe(503)
    expect(body).toContain('the disk is gone')
  })

  it('is not ready while it drains', async () => {
    await house.gateway.drain()
    expect((await get('/readyz')).status).toBe(503)
  })

  it('counts messages, connections and calls of the store, with no id in any label', async () => {
    await exchange(() => house.connect())
    const alice = house.connect()
    const { id } = await alice.hello()
    const { status, body } = await get('/metrics')
    expect(status).toBe(200)
    expect(body).toContain('ackd_connections{transport="memory"} ')
    expect(body).toContain('ackd_messages_total{outcome="stored"} 1')
    expect(body).toContain('ackd_drained_total 1')
    expect(body).toMatch(/ackd_store_seconds_bucket\{op="enqueue",le="\+Inf"\} 1/)
    expect(body).toMatch(/ackd_ack_seconds_bucket\{path="drain",le="30"\}/)
    expect(body).toContain('ackd_store_up 1')
    expect(body).not.toContain(id)
  })

  it('knows nothing else, and takes nothing but GET and HEAD', async () => {
    expect(await get('/favicon.ico')).toMatchObject({ status: 404, type: 'application/json' })
    expect((await get('/healthz', 'HEAD')).status).toBe(200)
    expect((await get('/healthz', 'DELETE')).status).toBe(405)
  })
})
