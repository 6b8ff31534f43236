/** All operations of the HTTP API. Whoever adds one adds it here; the OpenAPI document then has it too. */
import type { Store } from '../store/store.ts'
import { clientRoutes } from './api-clients.ts'
import { nodeRoutes } from './api-nodes.ts'
import { documentRoutes } from './api-documents.ts'
import type { Route } from './api-route.ts'
import type { Gateway } from './gateway.ts'

export function apiRoutes(gateway: Gateway, store: Store, version: string): readonly Route[] {
  const operations = [...clientRoutes(gateway, store), ...nodeRoutes(gateway, store, version)]
  return [...operations, ...documentRoutes(operations, version)]
}
