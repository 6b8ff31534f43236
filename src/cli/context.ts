/** What every command is given besides its own flags. */
import type { Terminal } from './terminal.ts'

export interface Context {
  readonly terminal: Terminal
  readonly environment: NodeJS.ProcessEnv
}
