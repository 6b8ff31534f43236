/**
 * A server as a process of its own, for tests that send it signals: options from the environment, the ready line on stdout. With
 * the argument `stuck` its shutdown never ends; with `faulty` it soon throws what nobody catches.
 */
import { readOptions } from '../../src/option-sources.ts'
import { readyLine, startServer } from '../../src/server.ts'
import { closeOnSignals } from '../../src/signals.ts'

const server = await startServer(readOptions({ environment: process.env }))
const stuck = process.argv[2] === 'stuck'
closeOnSignals(stuck ? { ...server, close: () => new Promise(() => {}) } : server)
process.stdout.write(`${readyLine(server)}\n`)
if (process.argv[2] === 'faulty') {
  setTimeout(() => {
    throw new Error('planned by a test')
  }, 50)
}
