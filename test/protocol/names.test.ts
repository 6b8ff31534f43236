import { describe, expect, test } from 'vitest'
import { isAssignedId, isClientId, isOutbox, isRoom, isTarget } from '../../src/protocol/names.ts'

const cases: [name: string, clientId: boolean, assigned: boolean, outbox: boolean, room: boolean][] = [
  ['', false, false, false, false],
  ['a', true, false, false, false],
  ['a'.repeat(7), true, false, false, false],
  ['a'.repeat(8), true, false, true, false],
  ['V1StGXR8_Z5jdHi6', true, true, true, false],
  ['V1StGXR8_Z5jdHi.', true, false, false, false],
  ['a'.repeat(32), true, false, true, false],
  ['a'.repeat(33), true, false, false, false],
  ['a'.repeat(64), true, false, false, false],
  ['a'.repeat(65), false, false, false, false],
  ['ann@example.org:1', true, false, false, false],
  ['with space', false, false, false, false],
  ['line\n', false, false, false, false],
  ['V1StGXR8_Z5jdHi6\n', false, false, false, false],
  ['ümlaut-name', false, false, false, false],
  ['#', false, false, false, false],
  ['#lobby', false, false, false, true],
  [`#${'r'.repeat(64)}`, false, false, false, true],
  [`#${'r'.repeat(65)}`, false, false, false, false],
  ['#a@b', false, false, false, false],
  ['##', false, false, false, false],
]

describe('names', () => {
  test.each(cases)('judges %j', (name, clientId, assigned, outbox, room) => {
    expect([isClientId(name), isAssignedId(name), isOutbox(name), isRoom(name), isTarget(name)]).toEqual([
      clientId,
      assigned,
      outbox,
      room,
      clientId || room,
    ])
  })
})
