/**
 * Where a command writes: data to stdout, word about its progress to stderr and only when a person is there to read it.
 *
 * Colour is for terminals, and `NO_COLOR` or `TERM=dumb` end it there too. Whatever came over the network is made harmless
 * before it is shown, since a terminal obeys what it prints.
 */
import { styleText } from 'node:util'
import type { WriteStream } from 'node:tty'

type Style = Parameters<typeof styleText>[0]

/** stdout or stderr: a terminal, a pipe or a file. */
export type Output = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean }

export class Terminal {
  /** Whether a person reads stdout, and stderr. */
  readonly interactive: boolean
  readonly watched: boolean
  readonly #out: Output
  readonly #err: Output
  readonly #colour: boolean

  constructor(out: Output, err: Output, environment: NodeJS.ProcessEnv) {
    this.#out = out
    this.#err = err
    this.interactive = out.isTTY === true
    this.watched = err.isTTY === true
    this.#colour = (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'
  }

  /** One line of what was asked for. Resolves when it was handed to the system, so that its reader sets the pace. */
  data(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#out.write(`${line}\n`, error => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /** One line about how it goes; nobody but a person gets to see it. */
  status(line: string): void {
    if (this.watched) this.#err.write(`${line}\n`)
  }

  /** That there is nothing to print, which would look like a command that did nothing; always written, not as data. */
  nothing(line: string): void {
    this.#err.write(`${line}\n`)
  }

  /** A line that replaces the one before it; '' ends the series. */
  progress(line: string): void {
    if (this.watched) this.#err.write(`\r\u001b[2K${line}`)
  }

  /** What went wrong; always written. */
  complain(line: string): void {
    this.#err.write(`${line}\n`)
  }

  /** Styles part of a line of data. */
  paint(style: Style, text: string): string {
    return this.interactive && this.#colour ? styleText(style, text, { validateStream: false }) : text
  }

  /** Styles part of a line about the progress, or of a complaint. */
  tint(style: Style, text: string): string {
    return this.watched && this.#colour ? styleText(style, text, { validateStream: false }) : text
  }
}

/** The text with everything that a terminal would obey, and every line break, written out as an escape. */
export function harmless(text: string): string {
  // The characters that are looked for are exactly the ones that the rule warns of.
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, character => {
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Rows in columns as wide as their widest cell; no line ends with blanks. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')
  return rows.map(row => line(row).trimEnd())
}
