import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CatchUps } from '../../../src/web/page/catch-up.ts'
import { firstState, type State } from '../../../src/web/page/state.ts'
import { Store } from '../../../src/web/page/store.ts'

let store: Store<State>
let catchUps: CatchUps

beforeEach(() => {
  vi.useFakeTimers()
  // A page that nobody sees draws by timers alone.
  vi.stubGlobal('document', { visibilityState: 'hidden' })
  store = new Store(firstState('ann', null, false))
  catchUps = new CatchUps(store)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('counts down what waited, through a stop of seconds, and says for six of them that it has come', () => {
  catchUps.missed(3)
  catchUps.came(1)
  expect(store.value.catchUp).toEqual({ total: 3, left: 2 })
  vi.advanceTimersByTime(29_000)
  catchUps.came(2)
  expect(store.value.catchUp).toEqual({ total: 3, left: 0 })
  vi.advanceTimersByTime(5_999)
  expect(store.value.catchUp).toEqual({ total: 3, left: 0 })
  vi.advanceTimersByTime(1)
  expect(store.value.catchUp).toBeNull()
})

it('waits for thirty seconds without any of them, and no longer', () => {
  catchUps.missed(2)
  catchUps.came(1)
  vi.advanceTimersByTime(30_000)
  expect(store.value.catchUp).toBeNull()
  catchUps.came(1)
  expect(store.value.catchUp).toBeNull()
})
