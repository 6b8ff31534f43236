/** `ackd clients`, `ackd rooms` and `ackd nodes`: what an operator sees and does, by the HTTP API of a server. */
import { Admin, listOfFields, type AdminFlags, type Fields } from './admin.ts'
import { toJson } from './bodies.ts'
import type { Context } from './context.ts'
import { Failure } from './failure.ts'
import { roomName } from './names.ts'
import { Profiles } from './profiles.ts'
import { showBytes, showDuration } from './quantities.ts'
import { columns, harmless } from './terminal.ts'

export interface ListFlags extends AdminFlags {
  readonly count: number
  readonly online?: boolean
}

export async function listClients(flags: ListFlags, context: Context): Promise<void> {
  const path = flags.online === true ? '/api/clients?online=true' : '/api/clients'
  const items = new Admin(flags, context).list(path, 'clients', flags.count)
  await table(items, flags, context, ['id', 'node', 'waiting', 'bytes', 'oldest'], client => [
    cell(client['id']),
    cell(client['node']),
    cell(client['parked']),
    showBytes(number(client['bytes'])),
    age(client['oldest']),
  ])
}

export async function showClient(id: string, flags: AdminFlags, context: Context): Promise<void> {
  const client = await new Admin(flags, context).ask('GET', `/api/clients/${pathOf(id, flags, context)}`)
  await describe(client, flags, context)
}

export async function kickClient(id: string, flags: AdminFlags, context: Context): Promise<void> {
  const path = `/api/clients/${pathOf(id, flags, context)}/kick`
  const answer = await new Admin(flags, context).ask('POST', path)
  if (flags.json === true) return context.terminal.data(toJson(answer))
  if (answer['kicked'] === true) return context.terminal.data('kicked')
  throw new Failure('failed', `${id} is not connected`, 'see who is: ackd clients ls --online')
}

export async function listRooms(flags: ListFlags, context: Context): Promise<void> {
  const items = new Admin(flags, context).list('/api/rooms', 'rooms', flags.count)
  await table(items, flags, context, ['room', 'owner', 'kind', 'last offset'], room => [
    cell(room['room']),
    cell(room['owner']),
    kindOf(room),
    cell(room['last']),
  ])
}

export async function showRoom(name: string, flags: AdminFlags, context: Context): Promise<void> {
  const path = `/api/rooms/${encodeURIComponent(roomName(name))}`
  await describe(await new Admin(flags, context).ask('GET', path), flags, context)
}

export async function listMembers(name: string, flags: ListFlags, context: Context): Promise<void> {
  const path = `/api/rooms/${encodeURIComponent(roomName(name))}/members`
  const items = new Admin(flags, context).list(path, 'members', flags.count)
  await table(items, flags, context, ['id', 'name', 'node'], member => [
    cell(member['id']),
    cell(member['name']),
    cell(member['node']),
  ])
}

/** Who is listed has said so lately; of how many nothing is known, is told apart. */
export async function listNodes(flags: AdminFlags, context: Context): Promise<void> {
  const { nodes, unheard } = await new Admin(flags, context).ask('GET', '/api/nodes')
  await table(listOfFields(nodes), flags, context, ['node', 'host', 'clients', 'memory', 'lag', 'up', 'said'], node => [
    cell(node['node']),
    cell(node['host']),
    cell(node['sessions']),
    showBytes(number(node['memoryBytes'])),
    `${number(node['lagMs'])} ms`,
    showDuration(number(node['uptime']) * 1_000),
    node['here'] === true ? 'now' : `${showDuration(number(node['ageMs']))} ago`,
  ])
  if (unheard === null) context.terminal.complain('  the store is away: nothing is known of other nodes')
  else if (unheard !== 0) context.terminal.complain(`  of ${cell(unheard)} more that live nothing is known`)
}

/** `ackd trace`: where a message is, and what happened to it on the way. */
export async function trace(
  [from, outbox, n]: readonly [from: string, outbox: string, n: string],
  flags: AdminFlags & { readonly to?: string },
  context: Context,
): Promise<void> {
  const resolve = (name: string): string => new Profiles(context.environment, flags).resolve(name).id
  const query = flags.to === undefined ? '' : `?to=${encodeURIComponent(resolve(flags.to))}`
  const path = `/api/trace/${[resolve(from), outbox, n].map(encodeURIComponent).join('/')}${query}`
  const { messages, remembered } = await new Admin(flags, context).ask('GET', path)
  const found = listOfFields(messages)
  for (const message of found) {
    if (flags.json === true) await context.terminal.data(toJson(message))
    else for (const line of traceLines(message)) await context.terminal.data(line)
  }
  if (found.length > 0) return
  const why = remembered === 0 ? 'the server remembers none (ACKD_TRACE)' : 'it was too long ago, or on another node'
  throw new Failure(
    'failed',
    `no step of it is remembered: ${why}`,
    'name its recipient, and the store is asked: --to ID',
  )
}

function traceLines(message: Fields): readonly string[] {
  const rows = listOfFields(message['steps']).map(({ time, step, detail }) => [
    `  ${new Date(number(time)).toISOString()}`,
    cell(step),
    detail === '' ? '' : cell(detail),
  ])
  return [`→ ${cell(message['to'])}: ${cell(message['state'])}`, ...columns(rows)]
}

function pathOf(to: string, flags: AdminFlags, { environment }: Context): string {
  return encodeURIComponent(new Profiles(environment, flags).resolve(to).id)
}

/** One line for each item under a head, or the items as JSON. */
export async function table(
  items: AsyncIterable<Fields> | Iterable<Fields>,
  { json }: AdminFlags,
  { terminal }: Context,
  head: readonly string[],
  row: (item: Fields) => readonly string[],
): Promise<void> {
  const rows: (readonly string[])[] = []
  for await (const item of items) {
    if (json === true) await terminal.data(toJson(item))
    else rows.push(row(item))
  }
  if (json === true) return
  if (rows.length === 0) terminal.nothing('there are none')
  else for (const line of columns([head, ...rows])) await terminal.data(line)
}

/** One line for each field; those of an object in it are indented by its name. */
async function describe(item: Fields, { json }: AdminFlags, { terminal }: Context): Promise<void> {
  if (json === true) return terminal.data(toJson(item))
  for (const line of columns(lines(item, ''))) await terminal.data(line)
}

function lines(item: Fields, before: string): (readonly [string, string])[] {
  return Object.entries(item).flatMap(([name, value]) => {
    if (typeof value === 'object' && value !== null)
      return lines(Object.fromEntries(Object.entries(value)), `${before}${name} `)
    return [[before + name, value !== 0 && isTime(name) ? new Date(number(value)).toISOString() : cell(value)] as const]
  })
}

function isTime(name: string): boolean {
  return ['oldest', 'expires', 'created', 'time'].includes(name)
}

function kindOf(room: Fields): string {
  return `${room['private'] === true ? 'private' : 'public'}${room['locked'] === true ? ', password' : ''}`
}

/** A value as one may be shown it. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  return harmless(typeof value === 'string' ? value : JSON.stringify(value))
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function age(time: unknown): string {
  return number(time) === 0 ? '-' : `${showDuration(Math.max(0, Date.now() - number(time)))} ago`
}
