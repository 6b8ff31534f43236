import { expect, test } from 'vitest'
import { defaultRoomLimits } from '../../src/store/room-store.ts'
import { RoomTally } from '../../src/store/room-tally.ts'

test('a client may make so many rooms, all clients so many, and the server as many as it likes', () => {
  const limits = { ...defaultRoomLimits, rooms: 3, owned: 2 }
  const tally = new RoomTally(['ann', 'ann'])
  expect([tally.refusal('ann', limits), tally.refusal('bob', limits)]).toEqual(['owns_too_many', null])
  tally.add('bob')
  expect([tally.refusal('bob', limits), tally.refusal('', limits)]).toEqual(['too_many', null])
  tally.remove('ann')
  expect([tally.refusal('ann', limits), tally.refusal('bob', limits)]).toEqual([null, null])
})
