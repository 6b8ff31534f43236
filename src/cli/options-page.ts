/** The table of options as text: for a terminal, and as the page `docs/options.md`, which is made by `npm run docs`. */
import type { Option } from '../option-kinds.ts'
import { isReloadable } from '../option-changes.ts'
import { environmentName, flagName, optionTable } from '../options.ts'
import { columns } from './terminal.ts'

function rows(): readonly (readonly [name: string, option: Option<unknown>])[] {
  return Object.entries<Option<unknown>>(optionTable)
}

export function optionsList(): string[] {
  return columns(rows().map(([name, { shown, help }]) => [flagName(name), shown, help]))
}

export function optionsPage(): string[] {
  return [
    '# Options of the server',
    '',
    'This page is made from the table in `src/options.ts` by `npm run docs`. A flag wins over the environment, which wins over the JSON file that',
    '`--config` or `ACKD_CONFIG` names; the key in the file is the flag without dashes: `--ack-timeout` is `"ackTimeout"`. Unknown names are errors.',
    'Durations: `500ms`, `30s`, `5m`, `2h`, `7d`. Sizes: `4096B`, `64KiB`, `1MiB`, `1GiB`. A zero needs no unit.',
    '',
    'What is marked with ↻ is read anew from the file at SIGHUP; everything else holds until the server is started again.',
    '',
    '| flag | environment | default | may be | what it does | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows().map(([name, { shown, range, help }]) =>
      row([
        ...[`\`${flagName(name)}\``, `\`${environmentName(name)}\``, shown, range, help],
        isReloadable(name) ? '↻' : '',
      ]),
    ),
  ]
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
