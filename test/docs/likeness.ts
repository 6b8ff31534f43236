/**
 * Whether what came is what a page shows, but for what varies from run to run: names that the server makes up, times, sizes, versions,
 * the width of columns. Everything else has to be the same, to the letter.
 *
 * A made-up name stands for the same thing throughout a page: the first answer it is in says for what.
 */

/** Names in the pages that the server, or the library, would have made up. */
export const madeUp: readonly string[] = [
  'V1StGXR8_Z5jdHi6',
  'bN3kq0PzT4uWx9aE',
  'mJq0Zk3v8x',
  'x3Vg_1aZ0qLmT7bd',
  'p-J4s81nVdKe0x2G',
  'yT6-dJ0hLm3_vQ9a',
]

/** What varies, and the form that it has to have. The first that fits a place counts. */
const varying: readonly (readonly [what: RegExp, form: string])[] = [
  [/^…$/m, '[^]*'],
  [/…/, '.*?'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'],
  [/\b\d+\.\d+\.\d+\.\d+(?::\d+)?/, '$&'],
  [/\b1\d{12}\b/, '1\\d{12}'],
  [/(?<="pid":)\d+/, '\\d+'],
  [/(?<="ms":)[\d.]+/, '[\\d.]+'],
  [/\b[\d.]+ (?:ms|s|min)\b/, '[\\d.]+ (?:ms|s|min)'],
  [/\b\d[\d.,]* (?:B|KiB|open files)\b/, '\\d[\\d.,]* (?:B|KiB|open files)'],
  [/\b(?:\d+\.)+\d+\b/, '(?:\\d+\\.)+\\d+'],
  [/(?<=Node )\d+/, '\\d+'],
  [/ {2,}/, ' {2,}'],
]

const places = new RegExp([...madeUp, ...varying.map(([what]) => what.source)].join('|'), 'gm')

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** What has come, if it is what is shown; else null. Names that are heard of for the first time are added to `names`. */
export function match(shown: string, came: string, names: Map<string, string>): RegExpExecArray | null {
  const fresh: string[] = []
  let form = ''
  let end = 0
  for (const { 0: part, index } of shown.matchAll(places)) {
    form += literal(shown.slice(end, index)) + formOf(shown, part, index, names, fresh)
    end = index + part.length
  }
  const found = new RegExp(`^${form}${literal(shown.slice(end))}$`).exec(came)
  for (const [i, name] of fresh.entries()) if (found !== null) names.set(name, found[i + 1] ?? '')
  return found
}

function formOf(shown: string, part: string, index: number, names: Map<string, string>, fresh: string[]): string {
  if (madeUp.includes(part)) {
    const known = names.get(part)
    if (known !== undefined) return literal(known)
    if (fresh.includes(part)) return `\\${fresh.indexOf(part) + 1}`
    fresh.push(part)
    return `([\\w-]{${part.length}})`
  }
  for (const [what, form] of varying) {
    const at = new RegExp(what.source, 'ym')
    at.lastIndex = index
    if (at.test(shown)) return form === '$&' ? literal(part) : form
  }
  return literal(part)
}
