/**
 * What becomes of options that are read anew while the server runs: which of them hold from now on, and which only after a restart.
 */
import type { Option } from './option-kinds.ts'
import { checkTogether } from './option-sources.ts'
import { optionTable, reloadableNames, type OptionName, type Options } from './options.ts'

export interface Changes {
  /** What holds from now on: the new value of what can change while the server runs, the old one of everything else. */
  readonly options: Options
  /** For the log, by name: both values, or that a secret is another one. */
  readonly changed: Readonly<Record<string, unknown>>
  /** What is another one, too, and holds after a restart only. */
  readonly waiting: readonly string[]
}

/** Throws `OptionError` when what can change makes no sense without what cannot. */
export function changesBetween(old: Options, given: Options): Changes {
  const others = names().filter(name => JSON.stringify(old[name]) !== JSON.stringify(given[name]))
  const changed = others.filter(isReloadable)
  const options = checkTogether({ ...old, ...Object.fromEntries(changed.map(name => [name, given[name]])) })
  return {
    options,
    changed: Object.fromEntries(changed.map(name => [name, shown(name, old, given)])),
    waiting: others.filter(name => !isReloadable(name)),
  }
}

function names(): readonly OptionName[] {
  return Object.keys(optionTable).filter(isName)
}

function isName(name: string): name is OptionName {
  return Object.hasOwn(optionTable, name)
}

export function isReloadable(name: string): boolean {
  return reloadableNames.some(one => one === name)
}

function shown(name: OptionName, old: Options, given: Options): unknown {
  const option: Option<unknown> = optionTable[name]
  return option.secret === true ? 'another one' : { from: old[name], to: given[name] }
}
