/** The shapes that several operations of the HTTP API take and give. Each describes itself for the OpenAPI document. */
import { z } from 'zod'
import { clientIdForm, roomForm } from '../../protocol/names.ts'
import { ApiError } from './route.ts'

/** Entries of one page, at most and by default. */
export const PAGE_LIMIT = 1_000
const PAGE_DEFAULT = 100

export const clientId = z
  .string()
  .regex(clientIdForm, 'a client id is 1 to 64 of A-Za-z0-9_.:@-')
  .describe('The address of a client: 1 to 64 of A-Za-z0-9_.:@-')

/** In a path, where # must be written %23, it may be left out. */
export const roomInPath = z
  .string()
  .transform(name => (name.startsWith('#') ? name : `#${name}`))
  .pipe(z.string().regex(roomForm, 'a room is # (in a path %23, or left out) and 1 to 64 of A-Za-z0-9_.:-'))
  .describe('The name of a room: # and 1 to 64 of A-Za-z0-9_.:-; in a path # is written %23, or left out')

export const time = z.int().describe('ms since the Unix epoch')

/** A number in a query, which comes as text. */
export function numberInQuery(least: number, most: number): z.ZodType<number | undefined, string | undefined> {
  const said = `give an integer from ${least} to ${most}`
  return z
    .stringFormat('integer', /^\d{1,16}$/, said)
    .transform(Number)
    .pipe(z.int().min(least, said).max(most, said))
    .optional()
}

/** A number from 1 in a path. */
export const numberInPath = z.stringFormat('integer', /^[1-9]\d{0,14}$/, 'give an integer from 1').transform(Number)

/** A place of a mailbox in a path: of at most 16 digits. */
export const placeInPath = z
  .stringFormat('integer', /^[1-9]\d{0,15}$/, 'give the place of an entry, as the mailbox shows it')
  .transform(Number)
  .pipe(z.int('give the place of an entry, as the mailbox shows it'))

/** A client or a room; in a query # must be written %23. */
export const targetInQuery = z
  .string()
  .regex(new RegExp(`${clientIdForm.source}|${roomForm.source}`), 'give a client id, or a room, whose # is written %23')

export const pageQuery = {
  after: z.string().optional().describe('Where to go on: `next` of the page before'),
  limit: numberInQuery(1, PAGE_LIMIT).describe(`At most so many, up to ${PAGE_LIMIT}; ${PAGE_DEFAULT} by default`),
}

export function limitOf(limit: number | undefined): number {
  return limit ?? PAGE_DEFAULT
}

export const next = z
  .string()
  .nullable()
  .describe('Give it as `after` for the next page; null when this is the last one')

export function unknownClient(id: string): ApiError {
  return new ApiError('not_found', `No client has the id ${id}, or it has lapsed; check the address.`)
}
