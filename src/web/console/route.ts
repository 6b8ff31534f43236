/** Which part of the console its address names: `#clients`, `#client=ID`, `#rooms`, `#room=NAME`, `#find&from=…&to=…`; else the overview. */
import type { Question } from './whereabouts.ts'

export type Route =
  | { readonly at: 'overview' | 'clients' | 'rooms' }
  | { readonly at: 'client'; readonly id: string }
  | { readonly at: 'room'; readonly name: string }
  | { readonly at: 'find'; readonly question: Question }

export function routeIn(hash: string): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const given = (name: string): string => fields.get(name)?.trim() ?? ''
  if (fields.has('find')) {
    const n = /^[1-9]\d{0,14}$/.test(given('n')) ? Number(given('n')) : 0
    return { at: 'find', question: { from: given('from'), to: given('to'), outbox: given('outbox'), n } }
  }
  if (given('client') !== '') return { at: 'client', id: given('client') }
  if (given('room') !== '') return { at: 'room', name: given('room') }
  if (fields.has('clients')) return { at: 'clients' }
  return { at: fields.has('rooms') ? 'rooms' : 'overview' }
}

export function clientHash(id: string): string {
  return `#${new URLSearchParams({ client: id }).toString()}`
}

export function roomHash(name: string): string {
  return `#${new URLSearchParams({ room: name }).toString()}`
}

export function findHash({ from, to, outbox, n }: Question): string {
  const fields = { from, to, ...(outbox !== '' && { outbox }), ...(n > 0 && { n: String(n) }) }
  return `#find&${new URLSearchParams(fields).toString()}`
}
