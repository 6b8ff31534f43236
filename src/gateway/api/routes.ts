/** All operations of the HTTP API. Whoever adds one adds it here; the OpenAPI document then has it too. */
import type { Store } from '../../store/store.ts'
import type { Accounts } from '../accounts.ts'
import { accountRoutes } from './accounts.ts'
import { clientRoutes } from './clients.ts'
import { messageRoutes } from './messages.ts'
import { nodeRoutes } from './nodes.ts'
import { documentRoutes } from './documents.ts'
import { roomRoutes } from './rooms.ts'
import { traceRoutes } from './trace.ts'
import type { Route } from './route.ts'
import { revocationRoutes } from './revocations.ts'
import type { Gateway } from '../gateway.ts'
import { openDoor, type Guard } from '../guard.ts'
import { Posting } from '../posting.ts'

/** `accounts` null: there are none on this server. */
export function apiRoutes(
  gateway: Gateway,
  store: Store,
  version: string,
  accounts: Accounts | null = null,
  guard: Guard = openDoor,
): readonly Route[] {
  const operations = [
    ...messageRoutes(gateway, new Posting(gateway, store)),
    ...clientRoutes(gateway, store),
    ...roomRoutes(gateway, store, room => guard.audit.note('room_deleted', { room, why: 'by an operator' })),
    ...traceRoutes(gateway, store),
    ...nodeRoutes(gateway, store),
    ...accountRoutes(accounts),
    ...revocationRoutes(guard.tokens === null ? null : store.accounts, guard.audit),
  ]
  return [...operations, ...documentRoutes(operations, version)]
}
