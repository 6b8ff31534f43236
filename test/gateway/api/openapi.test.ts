import { describe, expect, it } from 'vitest'
import { apiRoutes } from '../../../src/gateway/api/routes.ts'
import type { Route } from '../../../src/gateway/api/route.ts'
import { apiPage, writtenApiPage } from '../../support/api-page.ts'
import { checkOpenApi, type OpenApi } from '../openapi-check.ts'
import { ApiCaller } from '../api-caller.ts'
import { House } from '../house.ts'

describe('the OpenAPI document', () => {
  const house = new House()
  const routes = apiRoutes(house.gateway, house.store, '1.2.3')
  house.close()

  async function served(): Promise<OpenApi> {
    const caller = await ApiCaller.start()
    try {
      return (await caller.ask('/api/openapi.json', { token: null })).value as OpenApi
    } finally {
      await caller.close()
    }
  }

  const inDocument = ({ paths }: OpenApi): string[] =>
    Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map(method => `${method.toUpperCase()} ${path}`))
  const inRouter = ({ method, path }: Route): string => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`

  it('is served to everyone, and is one', async () => {
    expect(checkOpenApi(await served())).toEqual([])
  })

  it('has every route of the router, and no other', async () => {
    expect(inDocument(await served()).sort()).toEqual(routes.map(inRouter).sort())
  })

  it('names every operation once, and says whether it wants the token', async () => {
    const operations = Object.values((await served()).paths).flatMap(item => Object.values(item))
    const names = operations.map(({ operationId }) => operationId)
    expect(new Set(names).size).toBe(routes.length)
    const open = operations.filter(({ security }) => security.length === 0).map(({ operationId }) => operationId)
    expect(open.sort()).toEqual(
      routes
        .filter(({ access }) => access === 'everyone')
        .map(({ name }) => name)
        .sort(),
    )
  })

  it('is what docs/api.md was made from; npm run docs makes it anew', () => {
    expect(writtenApiPage()).toBe(apiPage())
  })

  it('is found wanting by the check when it is', async () => {
    const document = await served()
    const [path = ''] = Object.keys(document.paths).filter(one => one.includes('{'))
    const [method = ''] = Object.keys(document.paths[path]!)
    const spoilt = structuredClone(document)
    Object.assign(spoilt.paths[path]![method]!, { parameters: [] })
    expect(checkOpenApi(spoilt)).toEqual([`${method} ${path}: {id} is described 0 times`])
  })
})
