/**
 * Where the values of options come from: a flag wins over the environment, which wins over a JSON file.
 *
 * What is unknown is an error with a suggestion: a misspelt limit must not be silently without effect.
 */
import { readFileSync } from 'node:fs'
import type { Option } from './option-kinds.ts'
import { environmentName, flagName, optionTable, type Options } from './options.ts'

/** A value was given that cannot be, or a name that does not exist. The message says what to do. */
export class OptionError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'OptionError'
  }
}
export interface OptionSources {
  /** By name as in the table, such as `ackTimeout`; `config` names the file. */
  readonly flags?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** Variables that begin with ACKD_ and are no options: the file itself, and what belongs to the clients of the command line. */
const otherVariables = ['ACKD_CONFIG', 'ACKD_URL', 'ACKD_HOME', 'ACKD_PROFILES', 'ACKD_TOKEN']

/** Characters of a wrong value that an error shows. */
const MAX_QUOTED = 100

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
  return checkTogether(completed(values))
}

/**
 * The options that a program gives by their values, ms and bytes, and the rest as by default. They are checked as those that are read; `undefined` is
 * left out, and a text is read as in the environment. Throws `OptionError` at the first thing that cannot be.
 */
export function completeOptions(given: Partial<Options>): Options {
  refuseUnknown(Object.keys(given), Object.keys(optionTable), name => name)
  const values = new Map<string, unknown>(Object.entries(given))
  const checked: Record<string, unknown> = {}
  for (const [name, option] of Object.entries<Option<unknown>>(optionTable)) {
    const value = values.get(name)
    checked[name] = value === undefined ? option.default : checkOne(option, name, value)
  }
  return checkTogether(completed(checked))
}

/** The same options. Throws `OptionError` when one makes no sense without another. */
export function checkTogether(options: Options): Options {
  const { auth, jwtSecret, jwksUrl, accounts, unknownRecipients, tlsClientCa, store, redisUrl } = options
  const tokens = auth !== 'anonymous'
  if (tokens && jwtSecret === '' && jwksUrl === '')
    throw new OptionError('Tokens cannot be checked without a key; set ACKD_JWT_SECRET or ACKD_JWKS_URL.')
  if (!tokens && (jwtSecret !== '' || jwksUrl !== ''))
    throw new OptionError('There is a key for tokens, but none are taken; set ACKD_AUTH to token or both.')
  if (accounts === 'on' && (!tokens || jwtSecret === ''))
    throw new OptionError('Accounts are given tokens; set ACKD_AUTH to token or both, and ACKD_JWT_SECRET.')
  if (accounts === 'on' && (jwksUrl !== '' || tlsClientCa !== ''))
    throw new OptionError(
      'Who registers chooses a name, which could be one of the identity provider or of a certificate; leave ACKD_ACCOUNTS off, or ACKD_JWKS_URL and ACKD_TLS_CLIENT_CA unset.',
    )
  if (store === 'memory' && redisUrl !== '')
    throw new OptionError('Messages are kept in memory or in Redis; leave ACKD_STORE or ACKD_REDIS_URL unset.')
  if (unknownRecipients === 'park' && !tokens)
    throw new OptionError(
      'Nobody without a token can claim an id; set ACKD_AUTH to token or both to park for unknown ones.',
    )
  return options
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
  if (value === undefined) throw wrongValue(option, where, quoted(given))
  return value
}

function checkOne(option: Option<unknown>, name: string, given: unknown): unknown {
  const text = written(option, given)
  const value = text === null ? undefined : option.parse(text)
  // A number is no path, however it is written.
  if (value === undefined || (typeof given === 'number' && typeof value !== 'number'))
    throw wrongValue(option, name, shownValue(option, given))
  return value
}

/** As it would be written in the environment; null: it is nothing that could be. */
function written(option: Option<unknown>, given: unknown): string | null {
  if (given === option.default) return option.shown
  if (typeof given === 'number') return `${given}${option.unit ?? ''}`
  if (typeof given === 'string') return given
  if (!Array.isArray(given) || !Array.isArray(option.default)) return null
  return given.length === 0 ? option.shown : given.join(',')
}

function wrongValue(option: Option<unknown>, where: string, given: string): OptionError {
  const { secret = false, range, example = option.shown, shown } = option
  const wrong = secret ? 'is not what it may be, and is not shown' : `cannot be ${given}`
  const such = example === shown ? '' : `, such as ${example}`
  return new OptionError(`${where} ${wrong}; give ${range}${such} (default ${shown}).`)
}

/** On one line, and none that fills the terminal. */
function quoted(given: string): string {
  return JSON.stringify(given.length > MAX_QUOTED ? `${given.slice(0, MAX_QUOTED)}…` : given)
}

/** As a program gave it, a number with what it would be. */
function shownValue({ unit }: Option<unknown>, given: unknown): string {
  if (typeof given === 'string') return quoted(given)
  const isJson = typeof given === 'object' || typeof given === 'boolean'
  const text = isJson ? JSON.stringify(given) : typeof given === 'number' ? String(given) : typeof given
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text
  return unit === undefined || typeof given !== 'number' ? cut : `${cut} ${unit}`
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
    if (error instanceof SyntaxError)
      throw new OptionError(`${path} is not JSON: ${error.message}; write one object, such as {"port": 5000}.`)
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new OptionError(`The options in ${path} cannot be read (${why}); correct --config or ACKD_CONFIG.`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new OptionError(`${path} does not hold one JSON object; write it like {"port": 5000}.`)
  }
  return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, textOf(value)]))
}

/** A list is written as in the environment, separated by commas. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
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
