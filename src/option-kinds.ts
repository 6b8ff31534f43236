/**
 * The kinds of options: how a value of each is read from text, shown, and what may be given.
 *
 * Every value, wherever it is set, is read by one of these, so that flag, environment and file cannot disagree.
 */
import { isIP, isIPv6 } from 'node:net'

export interface Option<Value> {
  readonly default: Value
  /** The default as a person would write it. */
  readonly shown: string
  /** What may be given, for help and error messages. */
  readonly range: string
  /** A value that may be given, where the default is no example of one: `none`, `off`. */
  readonly example?: string
  readonly help: string
  /** What a number is once it is read, where it is not a mere count. */
  readonly unit?: 'ms' | 'B'
  /** Its value is never shown, not even when it is wrong. */
  readonly secret?: boolean
  /** Undefined: the text is not such a value, or out of range. */
  readonly parse: (text: string) => Value | undefined
}

export const KiB = 1024
export const MiB = 1024 * KiB
export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const DAY = 86_400 * SECOND
const durationUnits: Record<string, number> = { ms: 1, s: SECOND, m: MINUTE, h: 60 * MINUTE, d: DAY }
const sizeUnits: Record<string, number> = { B: 1, KiB, MiB, GiB: 1024 * MiB }

/** `30s`, `250ms`, `7d` in ms; undefined when it is none. Zero needs no unit. */
export function parseDuration(text: string): number | undefined {
  return parseUnits(text, durationUnits)
}

/** `64KiB`, `1MiB`, `4096B` in bytes; undefined when it is none. Zero needs no unit. */
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
  if (text === '0') return 0
  const match = /^(\d{1,15})([A-Za-z]+)$/.exec(text)
  const unit = match?.[2]
  if (unit === undefined || !Object.hasOwn(units, unit)) return undefined
  return Number(match?.[1]) * (units[unit] ?? 1)
}

function formatUnits(value: number, units: Record<string, number>): string {
  let best = String(value)
  if (value === 0) return best
  for (const [name, size] of Object.entries(units)) if (value % size === 0) best = `${value / size}${name}`
  return best
}

interface Range {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly help: string
  /** Where the default is 0, which says nothing of the others. */
  readonly example?: string
}

function numeric(
  range: Range,
  read: (text: string) => number | undefined,
  show: (value: number) => string,
  unit?: 'ms' | 'B',
): Option<number> {
  const { min, max } = range
  return {
    default: range.default,
    shown: show(range.default),
    range: `${show(min)} to ${show(max)}`,
    help: range.help,
    ...(range.example !== undefined && { example: range.example }),
    ...(unit !== undefined && { unit }),
    parse: text => {
      const value = read(text)
      return value !== undefined && value >= min && value <= max ? value : undefined
    },
  }
}

export const count = (range: Range): Option<number> =>
  numeric(range, text => (/^\d{1,15}$/.test(text) ? Number(text) : undefined), String)
export const duration = (range: Range): Option<number> => numeric(range, parseDuration, formatDuration, 'ms')
export const size = (range: Range): Option<number> => numeric(range, parseSize, formatSize, 'B')

export function text(preset: string, range: string, help: string): Option<string> {
  return { default: preset, shown: preset, range, help, parse: given => (given === '' ? undefined : given) }
}

/** The port of a stream transport: a number, `off`, or the usual one unless it may not be the only server here. */
export type StreamPort = number | 'off' | 'auto'

export function streamPort(usual: number, what: string): Option<StreamPort> {
  const parse = (given: string): StreamPort | undefined => {
    if (given === 'off' || given === 'auto') return given
    return /^\d{1,5}$/.test(given) && Number(given) <= 65_535 ? Number(given) : undefined
  }
  const help = `Port of ${what}; auto is ${usual}, or any free one when port is 0.`
  return { default: 'auto', shown: 'auto', range: '0 to 65535 | auto | off', example: String(usual), help, parse }
}

/** The port of something that is off unless it is asked for. */
export function portIfAsked(example: string, what: string): Option<number | 'off'> {
  const parse = (given: string): number | 'off' | undefined => {
    if (given === 'off') return given
    return /^\d{1,5}$/.test(given) && Number(given) <= 65_535 ? Number(given) : undefined
  }
  const help = `Port of ${what}; 0 for any free one.`
  return { default: 'off', shown: 'off', range: '0 to 65535 | off', example, help, parse }
}

/** A text that need not be there, which is then ''; written `none`. */
export function optional(
  range: string,
  example: string,
  help: string,
  is: (given: string) => boolean = () => true,
): Option<string> {
  const parse = (given: string): string | undefined => {
    if (given === 'none') return ''
    return given !== '' && is(given) ? given : undefined
  }
  return { default: '', shown: 'none', range, example, help, parse }
}

/** Prints what nobody guesses, on any machine that has TLS. */
const freshSecret = 'what openssl rand -hex 32 prints'

/** A secret of 32 bytes or more, which may hold spaces, or `file:` and the path of a file that holds some. */
export function signingSecret(help: string): Option<string> {
  const bytes = (given: string): number => new TextEncoder().encode(given).length
  const is = (given: string): boolean => (given.startsWith('file:') ? given.length > 5 : bytes(given) >= 32)
  return { ...optional('none, 32 or more bytes, or file:PATH', freshSecret, help, is), secret: true }
}

/** An address of the web. */
export function webAddress(help: string): Option<string> {
  const is = (given: string): boolean => URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)
  return optional('none or https://…', 'https://id.example.com/jwks.json', help, is)
}

export function file(help: string): Option<string> {
  return optional('none, or the path of a file', '/etc/ackd/certificate.pem', help)
}

/** Characters that nobody guesses: without spaces, since they travel in a header. */
export function secret(least: number, help: string): Option<string> {
  const is = (given: string): boolean => given.length >= least && /^[\x21-\x7e]+$/.test(given)
  return { ...optional(`none, or ${least} or more characters without spaces`, freshSecret, help, is), secret: true }
}

export function choice<const Names extends readonly string[]>(
  preset: Names[number],
  names: Names,
  help: string,
): Option<Names[number]> {
  const parse = (given: string): Names[number] | undefined => names.find(name => name === given)
  return { default: preset, shown: preset, range: names.join(' | '), help, parse }
}

/** Web pages by where they come from; `all` for any. */
export function origins(help: string): Option<readonly string[]> {
  const isOrigin = (given: string): boolean => URL.canParse(given) && new URL(given).origin === given
  const parse = (given: string): readonly string[] | undefined => {
    const names = given === 'all' ? [] : given.split(',').map(name => name.trim())
    return names.every(isOrigin) ? names : undefined
  }
  const range = 'all, or https://host[:port], separated by commas'
  return { default: [], shown: 'all', range, example: 'https://www.example.com,http://localhost:8080', help, parse }
}

/** Addresses of machines and of networks, such as `10.0.0.0/8`; `none` for none. */
export function networks(help: string): Option<readonly string[]> {
  const isNetwork = (given: string): boolean => {
    const [address = '', bits, ...more] = given.split('/')
    const most = isIPv6(address) ? 128 : 32
    const isSize = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
    return isIP(address) !== 0 && !address.includes('%') && isSize && more.length === 0
  }
  const parse = (given: string): readonly string[] | undefined => {
    const named = given === 'none' ? [] : given.split(',').map(name => name.trim())
    return named.every(isNetwork) ? named : undefined
  }
  const range = 'none, or addresses and networks, separated by commas'
  return { default: [], shown: 'none', range, example: '127.0.0.1,10.0.0.0/8', help, parse }
}
