/**
 * Flags that commands share, and numbers, which are read when the command line is, so that what is wrong is said before anything is
 * done. What the environment says is checked when a command is about to run: its help must be there also when that is wrong.
 */
import { Option, type Command } from 'commander'
import type { Context } from './context.ts'
import { Failure } from './failure.ts'
import { aCount, aDuration, type Quantity } from './quantities.ts'

const DEFAULT_URL = 'ws://127.0.0.1:5000/ws'
/** How clients reach a server. */
const ADDRESSES: readonly string[] = ['ws:', 'wss:', 'tcp:', 'tls:']
/** How its API is reached: by the address for clients, or as a page. */
const API_ADDRESSES: readonly string[] = [...ADDRESSES, 'http:', 'https:']

/** A flag, such as `--timeout <duration>`, whose value is read when the command line is. */
export function quantityFlag(flags: string, help: string, { read, fix }: Quantity): Option {
  const option = new Option(flags, help)
  const name = option.long ?? flags
  return option.argParser(text => {
    const value = read(text)
    if (value === undefined) throw new Failure('usage', `${name} cannot be '${text}'`, fix)
    return value
  })
}

/** The end of a help text. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map(line => `  ${line}`).join('\n')}`
}

/** A command that connects as a client. */
export function connecting(command: Command, context: Context): Command {
  return profiling(command, context)
    .option('--as <profile>', 'the identity to use, made on first use')
    .option('--token <token>', 'says who you are, instead of a profile; better in the environment (ACKD_TOKEN)')
    .option('--ca <file>', 'whose TLS certificates to trust, as PEM, instead of those that Node knows')
    .addOption(
      quantityFlag('--timeout <duration>', 'how long to wait for the server', aDuration).default(10_000, '10s'),
    )
}

/** A command that knows profiles by their names. */
export function profiling(command: Command, context: Context): Command {
  return addProfiles(addUrl(command, context, ADDRESSES))
}

/** A command that asks the HTTP API. */
export function asking(command: Command, context: Context): Command {
  return addProfiles(addUrl(command, context, API_ADDRESSES))
    .option('--admin-token <token>', 'opens the API; better in the environment (ACKD_ADMIN_TOKEN)')
    .option('--json', 'one JSON object a line')
}

/** A command that asks the HTTP API for a list. */
export function listing(command: Command, context: Context): Command {
  return asking(command, context).addOption(
    quantityFlag('-n, --count <n>', 'at most this many', aCount(1, 1_000_000)).default(100),
  )
}

/** Adds `--url`, for which `ACKD_URL` stands in. */
export function addUrl(command: Command, { environment }: Context, protocols = ADDRESSES): Command {
  const given = environment['ACKD_URL']
  const option = new Option('--url <url>', 'the server (ACKD_URL)')
    .argParser(text => checkUrl(text, '--url', protocols))
    .default(given ?? DEFAULT_URL, DEFAULT_URL)
  return command.addOption(option).hook('preAction', () => {
    if (given !== undefined && command.getOptionValueSource('url') === 'default') checkUrl(given, 'ACKD_URL', protocols)
  })
}

/** The address itself. Throws when no server can be reached by it. */
export function checkUrl(text: string, source: string, protocols = ADDRESSES): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : ''
  if (protocols.includes(protocol)) return text
  throw new Failure(
    'usage',
    `${source} cannot be '${text}', which is not the address of a server`,
    `write it like ${DEFAULT_URL}, tcp://127.0.0.1:2500 or tls://localhost:2501`,
  )
}

function addProfiles(command: Command): Command {
  return command.option(
    '--profiles <server>',
    'whose profiles to use, when not those of the address itself: 127.0.0.1:5000 (ACKD_PROFILES)',
  )
}
