/**
 * Everything that can be set, as one table: flag, environment variable, key in a file, unit, range, default and help come from it.
 *
 * A key names the option everywhere: `ackTimeout` is `--ack-timeout`, `ACKD_ACK_TIMEOUT` and `"ackTimeout"` in a JSON file. A flag
 * wins over the environment, which wins over the file. Every value is read from text by one parser per kind, so the three places
 * cannot disagree. What is unknown is an error with a suggestion: a misspelt limit must not be silently without effect.
 */
import { readFileSync } from 'node:fs'
import { DEFAULT_MAX_PACKET, DEFAULT_WINDOW, MAX_BEFORE_WELCOME, MAX_WINDOW } from './protocol/limits.ts'
import { defaultStoreLimits } from './store/store.ts'

export interface Option<Value> {
  readonly default: Value
  /** The default as a person would write it. */
  readonly shown: string
  /** What may be given, for help and error messages. */
  readonly range: string
  readonly help: string
  /** Undefined: the text is not such a value, or out of range. */
  readonly parse: (text: string) => Value | undefined
}

/** A value was given that cannot be, or a name that does not exist. The message says what to do. */
export class OptionError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'OptionError'
  }
}

const KiB = 1024
const MiB = 1024 * KiB
const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 86_400 * SECOND
const durationUnits: Record<string, number> = { ms: 1, s: SECOND, m: MINUTE, h: 60 * MINUTE, d: DAY }
const sizeUnits: Record<string, number> = { B: 1, KiB, MiB, GiB: 1024 * MiB }

/** `30s`, `250ms`, `7d` in ms; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  return parseUnits(text, durationUnits)
}

/** `64KiB`, `1MiB`, `4096B` in bytes; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  return parseUnits(text, sizeUnits)
}

export function formatDuration(ms: number): string {
  return formatUnits(ms, durationUnits)
}

export function formatSize(bytes: number): string {
  return formatUnits(bytes, sizeUnits)
}

function parseUnits(text: string, units: Record<string, number>): number | undefined {
  const match = /^(\d{1,15})([A-Za-z]+)$/.exec(text)
  const unit = match?.[2]
  if (unit === undefined || !Object.hasOwn(units, unit)) return undefined
  return Number(match?.[1]) * (units[unit] ?? 1)
}

function formatUnits(value: number, units: Record<string, number>): string {
  let best = String(value)
  for (const [name, size] of Object.entries(units)) if (value % size === 0) best = `${value / size}${name}`
  return best
}

interface Range {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly help: string
}

function numeric(
  range: Range,
  read: (text: string) => number | undefined,
  show: (value: number) => string,
): Option<number> {
  const { min, max } = range
  return {
    default: range.default,
    shown: show(range.default),
    range: `${show(min)} to ${show(max)}`,
    help: range.help,
    parse: text => {
      const value = read(text)
      return value !== undefined && value >= min && value <= max ? value : undefined
    },
  }
}

const count = (range: Range): Option<number> =>
  numeric(range, text => (/^\d{1,15}$/.test(text) ? Number(text) : undefined), String)
const duration = (range: Range): Option<number> => numeric(range, parseDuration, formatDuration)
const size = (range: Range): Option<number> => numeric(range, parseSize, formatSize)

function text(preset: string, range: string, help: string): Option<string> {
  return { default: preset, shown: preset, range, help, parse: given => (given === '' ? undefined : given) }
}

/** The port of a stream transport: a number, `off`, or the usual one unless it may not be the only server here. */
export type StreamPort = number | 'off' | 'auto'

function streamPort(usual: number, what: string): Option<StreamPort> {
  const parse = (given: string): StreamPort | undefined => {
    if (given === 'off' || given === 'auto') return given
    return /^\d{1,5}$/.test(given) && Number(given) <= 65_535 ? Number(given) : undefined
  }
  const help = `Port of ${what}; auto is ${usual}, or any free one when port is 0.`
  return { default: 'auto', shown: 'auto', range: '0 to 65535 | auto | off', help, parse }
}

function file(help: string): Option<string> {
  return {
    default: '',
    shown: 'none',
    range: 'a file',
    help,
    parse: given => (given === 'none' ? '' : given || undefined),
  }
}

function choice<const Names extends readonly string[]>(
  preset: Names[number],
  names: Names,
  help: string,
): Option<Names[number]> {
  const parse = (given: string): Names[number] | undefined => names.find(name => name === given)
  return { default: preset, shown: preset, range: names.join(' | '), help, parse }
}

function origins(help: string): Option<readonly string[]> {
  const isOrigin = (given: string): boolean => URL.canParse(given) && new URL(given).origin === given
  const parse = (given: string): readonly string[] | undefined => {
    const names = given.split(',').map(name => name.trim())
    return names.every(isOrigin) ? names : undefined
  }
  return { default: [], shown: 'all', range: 'https://host[:port], separated by commas', help, parse }
}

const { mailboxMessages, mailboxBytes, messageLifeMs, idLifeMs } = defaultStoreLimits

/** The table. Durations are ms and sizes bytes once they are read. */
export const optionTable = {
  host: text('127.0.0.1', 'an address of this machine', 'Where to listen; 0.0.0.0 for every interface.'),
  port: count({ default: 5000, min: 0, max: 65_535, help: 'Port of HTTP and WebSocket; 0 for any free one.' }),
  tcpPort: streamPort(2500, 'TCP'),
  tlsPort: streamPort(2501, 'TLS'),
  tlsCert: file('Certificate of the TLS port and its chain, as PEM; without one a development certificate is made.'),
  tlsKey: file('Private key of the TLS port, as PEM without a passphrase.'),
  tlsClientCa: file(
    'Whose certificates clients of the TLS port must show, as PEM; the common name in one is the client id.',
  ),
  store: choice('lmdb', ['lmdb', 'memory'], 'Where messages are kept; nothing in memory survives the process.'),
  dataDir: text('./data', 'a directory', 'Where the embedded store keeps its files.'),
  redisUrl: {
    default: '',
    shown: 'none',
    range: 'none, redis://host, rediss://host, unix:///path, redis+sentinel://hosts/name or redis+cluster://hosts',
    help: 'The Redis that keeps everything, instead of the embedded store.',
    parse: given => (given === 'none' ? '' : given),
  } satisfies Option<string>,
  origins: origins('Web pages that may connect; others get 403. Clients that are no browsers are not asked.'),
  logLevel: choice('info', ['fatal', 'error', 'warn', 'info', 'debug', 'silent'], 'How much is logged, on stderr.'),
  ackTimeout: duration({
    default: 30 * SECOND,
    min: SECOND,
    max: 10 * MINUTE,
    help: 'How long a message may stay un-acked before its recipient is suspect and it is parked.',
  }),
  maxPacket: size({
    default: DEFAULT_MAX_PACKET,
    min: MAX_BEFORE_WELCOME,
    max: 2 * MiB, // In the other encoding it can be seven times as large, and no packet may reach 16 MiB.
    help: 'Largest packet; a larger one closes its connection with too_large.',
  }),
  sendWindow: count({
    default: 64,
    min: 1,
    max: 65_536,
    help: 'Unsettled sends of one connection; more are handed back with window_exceeded.',
  }),
  sendWindowBytes: size({
    default: 256 * KiB,
    min: KiB,
    max: 256 * MiB,
    help: 'Bytes of unsettled sends of one connection; one message of any size may go when nothing else is open.',
  }),
  window: count({
    default: DEFAULT_WINDOW,
    min: 1,
    max: MAX_WINDOW,
    help: 'Un-acked messages of one session; the rest waits in the mailbox.',
  }),
  windowBytes: size({ default: MiB, min: KiB, max: 256 * MiB, help: 'Bytes of un-acked messages of one session.' }),
  mailboxMessages: count({
    default: mailboxMessages,
    min: 1,
    max: 10_000_000,
    help: 'Messages in one mailbox; more fail with mailbox_full, nothing old is dropped.',
  }),
  mailboxBytes: size({
    default: mailboxBytes,
    min: KiB,
    max: 64 * 1024 * MiB,
    help: 'Bytes of messages in one mailbox.',
  }),
  messageLife: duration({
    default: messageLifeMs,
    min: SECOND,
    max: 3650 * DAY,
    help: 'How long a message waits in a mailbox before its sender is told expired.',
  }),
  idLife: duration({
    default: idLifeMs,
    min: MINUTE,
    max: 3650 * DAY,
    help: 'How long a client id may stay unused before it lapses with its mailbox.',
  }),
  heldBytes: size({
    default: 64 * MiB,
    min: MiB,
    max: 64 * 1024 * MiB,
    help: 'Bytes this node holds without an end; more is handed back with overloaded.',
  }),
  frameRate: count({
    default: 1_000,
    min: 10,
    max: 10_000_000,
    help: 'Frames of one connection in a second, twice as many in a burst; more are handed back with rate_limited.',
  }),
  newRecipientsRate: count({
    default: 200,
    min: 1,
    max: 10_000_000,
    help: 'New recipients of one sender in a minute; more are handed back with rate_limited.',
  }),
  connectionsPerAddress: count({
    default: 1_000,
    min: 1,
    max: 10_000_000,
    help: 'Connections from one network address; more are closed with overloaded.',
  }),
  connectRate: count({
    default: 500,
    min: 1,
    max: 10_000_000,
    help: 'New connections in a second; more are closed with overloaded and told when to come back.',
  }),
  maxLag: duration({
    default: 100,
    min: 10,
    max: MINUTE,
    help: 'How late the event loop may be (99th percentile of 5 s) before new connections are closed with overloaded.',
  }),
  helloTimeout: duration({
    default: 5 * SECOND,
    min: 100,
    max: MINUTE,
    help: 'How long a new connection may take to say hello before it is closed with timeout.',
  }),
  // 300 s, since three of it are given to uWebSockets.js, which ends the process above 960 s.
  pingInterval: duration({
    default: 15 * SECOND,
    min: SECOND,
    max: 300 * SECOND,
    help: 'How often a silent connection is pinged; nothing heard for two of it closes it with timeout.',
  }),
  idleTimeout: duration({
    default: 0,
    min: 0,
    max: DAY,
    help: 'How long a connection may send nothing but keep-alive before it is closed with idle; 0: for ever.',
  }),
} as const satisfies Record<string, Option<unknown>>

type Table = typeof optionTable
export type OptionName = keyof Table
export type Options = { readonly [Name in OptionName]: Table[Name] extends Option<infer Value> ? Value : never }

/** `ackTimeout` is `ACKD_ACK_TIMEOUT` in the environment. */
export function environmentName(name: string): string {
  return `ACKD_${name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`
}

/** `ackTimeout` is `--ack-timeout` on the command line. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

export interface OptionSources {
  /** By name as in the table, such as `ackTimeout`; `config` names the file. */
  readonly flags?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Variables that begin with ACKD_ and are no options: the file itself, and what belongs to the clients of the command line. */
const otherVariables = ['ACKD_CONFIG', 'ACKD_URL', 'ACKD_HOME']

/** Reads flags, environment and file. Throws `OptionError` at the first thing that cannot be. */
export function readOptions(sources: OptionSources = {}): Options {
  const { flags = {}, environment = {} } = sources
  const path = flags['config'] ?? environment['ACKD_CONFIG']
  const file = path === undefined ? {} : readConfig(path)
  refuseUnknown(Object.keys(file), Object.keys(optionTable), key => `"${key}" in ${path ?? 'the file'}`)
  refuseUnknown(Object.keys(flags), [...Object.keys(optionTable), 'config'], flagName)
  refuseUnknown(
    Object.keys(environment).filter(name => name.startsWith('ACKD_')),
    [...Object.keys(optionTable).map(environmentName), ...otherVariables],
    name => name,
  )
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries<Option<unknown>>(optionTable)) {
    const variable = environmentName(name)
    if (flags[name] !== undefined) values[name] = parseOne(option, flagName(name), flags[name])
    else if (environment[variable] !== undefined) values[name] = parseOne(option, variable, environment[variable])
    else if (Object.hasOwn(file, name)) values[name] = parseOne(option, `"${name}" in ${path ?? ''}`, file[name] ?? '')
    else values[name] = option.default
  }
  return completed(values)
}

/** Reads `--port 5000` and `--port=5000` into the form that `readOptions` takes. */
export function readFlags(argv: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {}
  for (let i = 0; i < argv.length; i++) {
    const [flag = '', ...rest] = (argv[i] ?? '').split('=')
    if (!flag.startsWith('--')) throw new OptionError(`${flag} is not a flag; flags begin with --.`)
    const value = rest.length > 0 ? rest.join('=') : argv[++i]
    if (value === undefined) throw new OptionError(`${flag} needs a value: ${flag}=…`)
    flags[flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value
  }
  return flags
}

/** The name closest to what was written, for a suggestion; null when none is near. */
export function closestName(given: string, names: readonly string[]): string | null {
  let best: string | null = null
  let least = Math.max(2, Math.floor(given.length / 3)) + 1
  for (const name of names) {
    const edits = editDistance(given.toLowerCase(), name.toLowerCase())
    if (edits < least) [best, least] = [name, edits]
  }
  return best
}

function parseOne(option: Option<unknown>, where: string, given: string): unknown {
  const value = option.parse(given)
  if (value === undefined) {
    throw new OptionError(`${where} cannot be "${given}"; give ${option.range} (default ${option.shown}).`)
  }
  return value
}

function refuseUnknown(given: readonly string[], known: readonly string[], show: (name: string) => string): void {
  for (const name of given) {
    if (known.includes(name)) continue
    const near = closestName(name, known)
    throw new OptionError(`There is no option ${show(name)}${near === null ? '' : `; did you mean ${show(near)}?`}`)
  }
}

function readConfig(path: string): Record<string, string> {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new OptionError(`The options in ${path} cannot be read: ${error instanceof Error ? error.message : ''}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new OptionError(`${path} must hold one JSON object, such as {"port": 5000}.`)
  }
  return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]))
}

function completed(values: Record<string, unknown>): Options {
  if (!isComplete(values)) throw new OptionError('An option has no value.')
  return values
}

/** The types were checked one by one by the parsers of the table; here it is only made sure that none is missing. */
function isComplete(values: Record<string, unknown>): values is Options {
  return Object.keys(optionTable).every(name => values[name] !== undefined)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
