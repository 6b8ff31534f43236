import { expect, test } from 'vitest'
import type { Table } from '../../../src/store/lmdb/environment.ts'
import { Numbers } from '../../../src/store/lmdb/numbers.ts'

/** A file that counts what is written to it. */
class CountingTable implements Table {
  writes = 0
  #value: Buffer | undefined

  get(): Buffer | undefined {
    return this.#value
  }

  readonly put = (_key: Uint8Array, value: Uint8Array): void => {
    this.writes++
    this.#value = Buffer.from(value)
  }

  remove(): void {
    this.#value = undefined
  }

  range(): Iterable<never> {
    return []
  }

  back(): Iterable<never> {
    return []
  }
}

function next(numbers: Numbers, count: number): number[] {
  return numbers.change(() => Array.from({ length: count }, () => numbers.next()))
}

test('numbers are given in order, and the last one is written once for a transaction', () => {
  const table = new CountingTable()
  const numbers = new Numbers(table)
  expect(next(numbers, 3)).toEqual([1, 2, 3])
  numbers.settle(true)
  expect(next(numbers, 2)).toEqual([4, 5])
  numbers.settle(true)
  expect(table.writes).toBe(2)
  expect(next(new Numbers(table), 1)).toEqual([6])
})

test('a transaction that gives none writes none', () => {
  const table = new CountingTable()
  const numbers = new Numbers(table)
  numbers.change(() => undefined)
  numbers.settle(true)
  next(numbers, 1)
  numbers.settle(true)
  numbers.change(() => undefined)
  expect(table.writes).toBe(1)
})

test('what was not committed is asked of the file again', () => {
  const table = new CountingTable()
  const numbers = new Numbers(table)
  next(numbers, 1)
  numbers.settle(true)
  const before = table.get()
  next(numbers, 5)
  numbers.settle(false)
  table.put(Uint8Array.of(), before ?? Uint8Array.of())
  expect(next(numbers, 1)).toEqual([2])
})
