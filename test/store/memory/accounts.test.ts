/** The contract over the accounts in memory. */
import { MemoryAccounts } from '../../../src/store/memory/accounts.ts'
import { describeAccounts } from '../contract-accounts.ts'

describeAccounts('memory', (clock, most) =>
  Promise.resolve({ accounts: new MemoryAccounts(clock, most), close: () => Promise.resolve() }),
)
