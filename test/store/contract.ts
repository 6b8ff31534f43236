/** What every store must do: one body of tests, run over each implementation through nothing but the interface. */
import { describeDiscards } from './contract-discards.ts'
import { accountsOf, describeAccounts } from './contract-accounts.ts'
import { describeMailboxes } from './contract-mailboxes.ts'
import { describeOnce } from './contract-once.ts'
import { describeRooms } from './contract-rooms.ts'
import { describeOwners } from './contract-owners.ts'
import type { Open } from './support.ts'

export function describeStore(name: string, open: Open): void {
  describeOwners(name, open)
  describeMailboxes(name, open)
  describeDiscards(name, open)
  describeRooms(name, open)
  describeOnce(name, open)
  describeAccounts(name, accountsOf(open))
}
