/**
 * Reads an LMDB file by hand and looks for damage, before LMDB itself is let near it.
 *
 * LMDB trusts its pages: what it maps is not checked, and a page that is not what it should be, or not there at all, ends the
 * process. So the two trees, of records and of free pages, are walked here page by page with every number checked before it is
 * used: both meta pages, the place of each page in its tree, the order of all keys, the counts in the meta page, the checksum of
 * each record, and that no page is in use and free at once. What can be wrong without being found is what nothing refers to.
 *
 * The layout is that of the LMDB in the driver: 24 bytes of page header, offsets in a page counted from behind it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import { readAccount, readRevocation } from './accounts.ts'
import { readEntries } from './bundle.ts'
import { readRoom } from './room-records.ts'
import { readEntry } from './entries.ts'
import { DamagedRecord, LAST_NUMBER_KEY, readBox, readLastNumber, readStream, readText, Tag } from './records.ts'

const MAGIC = 0xbeefc0de
const HEADER = 24
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const META = 8
const BIG_DATA = 1
const NO_PAGE = 0xffffffffffffffffn
const MAX_DEPTH = 32

/** Pages between two looks at the clock. */
const CLOCK_PAGES = 64

export interface FileReport {
  /** False when time ran out; the rest has not been looked at. */
  readonly complete: boolean
  readonly pages: number
  readonly bytes: number
  /** The keys of messages that do not match their checksum. All else that is damaged is thrown. */
  readonly damaged: readonly Uint8Array[]
}

interface Tree {
  readonly name: string
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  readonly root: bigint
}

interface Meta {
  readonly pageSize: number
  readonly flags: number
  readonly mapBytes: number
  readonly lastPage: number
  readonly transaction: number
  readonly free: Tree
  readonly main: Tree
}

class OutOfTime extends Error {}

/** Throws an `Error` that says what is wrong with the file. */
export function verifyFile(path: string, budgetMs: number): FileReport {
  const file = openSync(path, 'r')
  try {
    return new Walk(file, fstatSync(file).size, Date.now() + budgetMs).run()
  } finally {
    closeSync(file)
  }
}

function number64(bytes: Buffer, at: number, what: string): number {
  const value = bytes.readBigUInt64LE(at)
  if (value > 2n ** 52n) throw new Error(`${what} is ${value}, which cannot be`)
  return Number(value)
}

class Walk {
  readonly #file: number
  readonly #size: number
  readonly #deadline: number
  readonly #damaged: Uint8Array[] = []
  readonly #freePages: number[] = []
  #meta: Meta
  /** 1 for each page that a tree refers to. */
  #live: Uint8Array
  #pages = 0
  #counts = { branch: 0, leaf: 0, overflow: 0, entries: 0 }

  constructor(file: number, size: number, deadline: number) {
    this.#file = file
    this.#size = size
    this.#deadline = deadline
    this.#meta = this.#readMetas()
    this.#live = new Uint8Array(this.#meta.lastPage + 1)
  }

  run(): FileReport {
    let complete = true
    try {
      this.#walkTree(this.#meta.free, (key, value) => this.#readFree(key, value))
      this.#walkTree(this.#meta.main, (key, value) => this.#readRecord(key, value))
      for (const page of this.#freePages) {
        if (this.#live[page] === 1) throw new Error(`page ${page} is in use and in the list of free pages`)
      }
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error
      complete = false
    }
    return { complete, pages: this.#pages, bytes: this.#size, damaged: this.#damaged }
  }

  #readMetas(): Meta {
    const first = this.#readMeta(0, 4096)
    const second = this.#readMeta(first.pageSize, first.pageSize)
    const [older, newer] = first.transaction < second.transaction ? [first, second] : [second, first]
    const fresh = newer.transaction === 0
    // Transaction N writes meta page N modulo 2, so the two always follow each other.
    if (!fresh && (first.transaction % 2 !== 0 || newer.transaction !== older.transaction + 1)) {
      throw new Error(`its two meta pages are of the transactions ${first.transaction} and ${second.transaction}`)
    }
    if (first.pageSize !== second.pageSize || first.flags !== second.flags) throw new Error('its meta pages differ')
    if (newer.mapBytes > 2 ** 46 || (newer.lastPage + 1) * newer.pageSize > newer.mapBytes) {
      throw new Error('the meta page says that the file is larger than it can be')
    }
    return newer
  }

  #readMeta(at: number, length: number): Meta {
    const page = this.#bytes(at, length, 'a meta page')
    if (page.readUInt16LE(18) !== META || page.readUInt32LE(HEADER) !== MAGIC) throw new Error('it has no meta page')
    const pageSize = page.readUInt32LE(48)
    if (![4096, 8192, 16384, 32768, 65536].includes(pageSize)) throw new Error(`its page size is ${pageSize}`)
    if (page.readUInt16LE(100) !== 0) throw new Error('the meta page has unknown flags')
    return {
      pageSize,
      flags: page.readUInt16LE(52),
      mapBytes: number64(page, 40, 'the size of the map'),
      lastPage: number64(page, 144, 'the number of pages'),
      transaction: number64(page, 152, 'the number of transactions'),
      free: readTree(page, 48, 'the list of free pages'),
      main: readTree(page, 96, 'the records'),
    }
  }

  #bytes(at: number, length: number, what: string): Buffer {
    if (at + length > this.#size) throw new Error(`${what} is beyond its end: it was truncated at ${this.#size} bytes`)
    const bytes = Buffer.allocUnsafe(length)
    if (readSync(this.#file, bytes, 0, length, at) !== length) throw new Error(`${what} cannot be read`)
    return bytes
  }

  /** A page and those that continue it, with its header checked. */
  #page(number: number, count: number, flags: number): Buffer {
    const { pageSize, lastPage, transaction } = this.#meta
    if (number < 2 || count < 1 || number + count - 1 > lastPage) throw new Error(`there is no page ${number}`)
    if (++this.#pages % CLOCK_PAGES === 0 && Date.now() > this.#deadline) throw new OutOfTime()
    const page = this.#bytes(number * pageSize, count * pageSize, `page ${number}`)
    for (let at = number; at < number + count; at++) {
      if (this.#live[at] === 1) throw new Error(`page ${at} is used twice`)
      this.#live[at] = 1
    }
    const known = page.readBigUInt64LE(0) === BigInt(number) && page.readBigUInt64LE(8) <= BigInt(transaction)
    if (!known || (page.readUInt16LE(18) & flags) === 0 || (page.readUInt16LE(18) & 0x0fff & ~flags) !== 0) {
      throw new Error(`page ${number} is not what the page above it says`)
    }
    return page
  }

  #walkTree(tree: Tree, visit: (key: Buffer, value: Buffer) => void): void {
    this.#counts = { branch: 0, leaf: 0, overflow: 0, entries: 0 }
    if (tree.root !== NO_PAGE) this.#walk(Number(tree.root), tree, 1, null, null, visit)
    const { branch, leaf, overflow, entries } = this.#counts
    const { branchPages, leafPages, overflowPages } = tree
    if (branch !== branchPages || leaf !== leafPages || overflow !== overflowPages || entries !== tree.entries) {
      throw new Error(`${tree.name} are not as many as the meta page says`)
    }
  }

  /** All keys must be at or above `low`, and below `high`. */
  #walk(
    number: number,
    tree: Tree,
    level: number,
    low: Buffer | null,
    high: Buffer | null,
    visit: (key: Buffer, value: Buffer) => void,
  ): void {
    if (level > MAX_DEPTH || level > tree.depth) throw new Error(`${tree.name} are deeper than the meta page says`)
    const isLeaf = level === tree.depth
    const page = this.#page(number, 1, isLeaf ? LEAF : BRANCH)
    if (isLeaf) this.#counts.leaf++
    else this.#counts.branch++
    const compare =
      tree === this.#meta.free ? compareIntegers : (one: Buffer, other: Buffer) => Buffer.compare(one, other)
    const nodes = readNodes(page, number)
    let last: Buffer | null = null
    nodes.forEach(({ at, key }, index) => {
      // The first key of a branch page stands for everything below the second.
      const from = isLeaf || index > 0 ? key : low
      const tooLow =
        from !== null && ((low !== null && compare(from, low) < 0) || (last !== null && compare(from, last) <= 0))
      if (tooLow || (from !== null && high !== null && compare(from, high) >= 0)) {
        throw new Error(`the keys of page ${number} are out of order`)
      }
      last = index > 0 || isLeaf ? key : null
      if (isLeaf) visit(key, this.#value(page, number, at, key.length))
      else this.#walk(childOf(page, at), tree, level + 1, from, nodes[index + 1]?.key ?? high, visit)
    })
    if (isLeaf) this.#counts.entries += nodes.length
  }

  #value(page: Buffer, number: number, at: number, keyBytes: number): Buffer {
    const length = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const start = at + 8 + keyBytes
    if (flags === 0 && start + length <= page.length) return page.subarray(start, start + length)
    if (flags !== BIG_DATA || start + 24 > page.length) throw new Error(`a record of page ${number} ends beyond it`)
    const first = number64(page, start, 'a page number')
    const count = number64(page, start + 16, 'a number of pages')
    if (count !== Math.floor((HEADER - 1 + length) / this.#meta.pageSize) + 1) {
      throw new Error(`a record of page ${number} is longer than its pages`)
    }
    this.#counts.overflow += count
    return this.#page(first, count, OVERFLOW).subarray(HEADER, HEADER + length)
  }

  /** A list of page numbers; a negative number before one says how many pages follow from there. */
  #readFree(key: Buffer, value: Buffer): void {
    if (key.length !== 8 || value.length % 8 !== 0) throw new Error('the list of free pages is not readable')
    const count = Math.min(Number(value.readBigInt64LE(0)), value.length / 8 - 1)
    let run = 1
    for (let index = 1; index <= count; index++) {
      const word = Number(value.readBigInt64LE(index * 8))
      if (word <= 0) {
        run = word === 0 ? 1 : -word
        continue
      }
      if (word < 2 || word + run - 1 > this.#meta.lastPage)
        throw new Error('the list of free pages names one that is not there')
      for (let page = word; page < word + run; page++) this.#freePages.push(page)
      run = 1
    }
  }

  #readRecord(key: Buffer, value: Buffer): void {
    try {
      if (key[0] === Tag.box) readBox(key, value)
      else if (key[0] === Tag.stream) readStream(key, value)
      else if (key[0] === Tag.room) readRoom(key, value)
      else if (key[0] === Tag.once) readText(key, value, 'what was to be done once')
      else if (key[0] === Tag.account) readAccount(key, value)
      else if (key[0] === Tag.revocation) readRevocation(key, value)
      else if (key[0] === Tag.entry) readEntries(key, value)
      else if (key[0] === Tag.dead || key[0] === Tag.post) readEntry(key, value)
      else if (key.equals(LAST_NUMBER_KEY)) readLastNumber(value)
      else if (key[0] !== Tag.format && key[0] !== Tag.quarantined)
        throw new Error('it holds a record of an unknown kind')
    } catch (error) {
      if (!(error instanceof DamagedRecord) || error.entryKey === null) throw error
      this.#damaged.push(Uint8Array.from(key))
    }
  }
}

function readTree(page: Buffer, at: number, name: string): Tree {
  return {
    name,
    depth: page.readUInt16LE(at + 6),
    branchPages: number64(page, at + 8, 'a number of pages'),
    leafPages: number64(page, at + 16, 'a number of pages'),
    overflowPages: number64(page, at + 24, 'a number of pages'),
    entries: number64(page, at + 32, 'a number of records'),
    root: page.readBigUInt64LE(at + 40),
  }
}

/** Where the nodes of a page are, and their keys. */
function readNodes(page: Buffer, number: number): { at: number; key: Buffer }[] {
  const lower = page.readUInt16LE(20)
  const upper = page.readUInt16LE(22)
  if (lower % 2 !== 0 || lower === 0 || lower > upper || HEADER + upper > page.length) {
    throw new Error(`page ${number} has no readable list of records`)
  }
  return Array.from({ length: lower / 2 }, (_, index) => {
    const at = HEADER + page.readUInt16LE(HEADER + index * 2)
    if (at < HEADER + upper || at + 8 > page.length || at + 8 + page.readUInt16LE(at + 6) > page.length) {
      throw new Error(`a record of page ${number} is not inside it`)
    }
    return { at, key: page.subarray(at + 8, at + 8 + page.readUInt16LE(at + 6)) }
  })
}

function childOf(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32
}

function compareIntegers(a: Buffer, b: Buffer): number {
  if (a.length !== 8 || b.length !== 8) throw new Error('the list of free pages has an unreadable key')
  const [left, right] = [a.readBigUInt64LE(0), b.readBigUInt64LE(0)]
  return left < right ? -1 : left > right ? 1 : 0
}
