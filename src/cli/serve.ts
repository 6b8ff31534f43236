/**
 * `ackd serve`: reads the options, starts the server, says where it is, and leaves the rest to it.
 *
 * On a terminal a banner says it to a person, and the log keeps to warnings unless it was asked for more; otherwise the first line of
 * stdout is the ready line, for whoever started the process.
 */
import { closeOnSignals, GuardError, ListenError, readyLine, startServer, StoreError, type Server } from '../index.ts'
import { OptionError, readOptions } from '../option-sources.ts'
import { environmentName, type Options } from '../options.ts'
import { Failure, failureOf } from './failure.ts'
import type { Context } from './context.ts'
import type { Terminal } from './terminal.ts'

export async function serve(flags: Readonly<Record<string, string>>, context: Context): Promise<void> {
  const { terminal } = context
  const options = read(flags, context)
  const server = await start(options)
  closeOnSignals(server, () => given(flags, context))
  if (!terminal.interactive) return terminal.data(readyLine(server))
  for (const line of banner(server, options, terminal)) await terminal.data(line)
}

/** Throws `OptionError`. */
function given(flags: Readonly<Record<string, string>>, { terminal, environment }: Context): Options {
  const asked = flags['logLevel'] ?? environment[environmentName('logLevel')]
  const quiet = terminal.interactive && asked === undefined
  return readOptions({ flags: quiet ? { ...flags, logLevel: 'warn' } : flags, environment })
}

function read(flags: Readonly<Record<string, string>>, context: Context): Options {
  try {
    return given(flags, context)
  } catch (error) {
    if (error instanceof OptionError) throw failureOf('usage', error.message, 'see what can be set: ackd options')
    throw error
  }
}

async function start(options: Options): Promise<Server> {
  try {
    return await startServer(options)
  } catch (error) {
    if (error instanceof ListenError || error instanceof StoreError || error instanceof GuardError)
      throw new Failure('failed', error.message, error.fix)
    throw error
  }
}

function banner(server: Server, options: Options, terminal: Terminal): string[] {
  const store =
    options.store === 'memory'
      ? terminal.paint('yellow', 'memory: nothing survives this process')
      : options.redisUrl !== ''
        ? 'redis'
        : `${options.store}, in ${options.dataDir}`
  return [
    `${terminal.paint('bold', 'ackd')} is ready (process ${server.pid}; Ctrl-C ends it)`,
    '',
    ...[server.ws, server.wss, server.tcp, server.tls]
      .filter(url => url !== null)
      .map((url, i) => `  ${i === 0 ? 'clients' : '       '}   ${terminal.paint('cyan', url)}`),
    `  chat      ${terminal.paint('cyan', `${server.http}/`)}`,
    `  health    ${server.http}/readyz   ${server.http}/metrics`,
    `  store     ${store}`,
    '',
    'Try it, from other terminals:',
    `  ackd listen --as bob${elsewhere(server)}`,
    `  ackd send bob "hello"${elsewhere(server)}`,
    options.store === 'memory' || options.redisUrl !== ''
      ? '  ackd bench'
      : `  ackd mailbox ls${options.dataDir === './data' ? '' : ` --data-dir ${options.dataDir}`}`,
  ]
}

/** What a client must be told when the server is not where clients look by themselves. */
function elsewhere(server: Server): string {
  return server.ws === 'ws://127.0.0.1:5000/ws' ? '' : ` --url ${server.ws}`
}
