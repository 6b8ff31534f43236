import { afterEach, describe, expect, it } from 'vitest'
import { AdminToken } from '../../src/gateway/api/admin-token.ts'
import { noAudit } from '../../src/gateway/audit.ts'
import { Api } from '../../src/gateway/api.ts'
import { HttpRate } from '../../src/gateway/http-rate.ts'
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
  const admin = new AdminToken('')
  const api = new Api([], admin, { rules: { origins: [] }, audit: noAudit, failed: () => {} })
  const get = (path: string, method = 'GET'): Promise<HttpAnswer> => {
    const body = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0))
    const request = { method, path, query: '', address: '127.0.0.1', header: () => '', body }
    const { gateway, store } = house
    return createHttp({ gateway, store, api, admin, rate: new HttpRate(100), audit: noAudit })(request)
  }

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
    house.close()
    // Where other nodes may own mailboxes, a first message goes through the store.
    house = new House({ core: { soleOwner: false } })
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
    const { status, type, body } = await get('/favicon.ico')
    expect([status, type, JSON.parse(body)]).toMatchObject([404, 'application/json', { error: { code: 'not_found' } }])
    expect((await get('/api/nothing')).status).toBe(404)
    expect((await get('/healthz', 'HEAD')).status).toBe(200)
    expect(await get('/healthz', 'DELETE')).toMatchObject({ status: 405, headers: { Allow: 'GET, HEAD' } })
  })
})
