/** Flags whose value is a number: read when the command line is, so that what is wrong is said before anything is done. */
import { Option } from 'commander'
import { Failure } from './failure.ts'
import type { Quantity } from './quantities.ts'

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
