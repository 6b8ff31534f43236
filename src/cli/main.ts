#!/usr/bin/env node
/** The `ackd` command: gives the process's own streams, arguments and environment to the program, and ends with its exit code. */
import { run } from './program.ts'
import { hasCode } from './profiles.ts'
import { Terminal } from './terminal.ts'

// A reader that has enough, such as head, closes the pipe; that is no failure.
process.stdout.on('error', error => {
  if (!hasCode(error, 'EPIPE')) throw error
  process.exit(0)
})

const terminal = new Terminal(process.stdout, process.stderr, process.env)
process.exitCode = await run(process.argv.slice(2), terminal, process.env)
