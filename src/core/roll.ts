/**
 * The roll of a room: everybody who is in it, as its members at this node were told.
 *
 * Where nodes share a store, the roll is kept there. A node reports who came and who went, and hears what others report; each change of the
 * roll has a mark and names the mark before it, so that one which was not heard is noticed, and then the whole roll is read. Members are
 * told how the roll of this node changes, and nothing else: so everybody who comes or goes is told of once, however the news came.
 *
 * Who comes is on the roll of his node at once. Who goes is on it until the store has said so, since he may be at another node by then.
 */
import type { Listed, RollAnswer, RollNews, RollReport } from '../protocol/rolls.ts'
import type { News } from './telling.ts'

/** Comings and goings in one report. */
const REPORTED = 1_000

/** By id: the name of one who came; null for one who went. */
type Changes = Map<string, string | null>

/** A report that is under way. */
interface Asked {
  readonly epoch: string
  readonly seen: number
  readonly changes: Changes
  /** Who came to any node meanwhile, and has not gone since, as far as was heard. */
  readonly came: Set<string>
  /** The answer will be that of another room, or an older one. */
  isVoid: boolean
}

export class Roll {
  readonly #shared: boolean
  readonly #isHere: (id: string) => boolean
  readonly #names = new Map<string, string>()
  /** What was not reported yet. */
  #changes: Changes = new Map()
  #asked: Asked | null = null
  /** Of the last change that is known; 0: the roll has not been read. */
  #mark = 0
  /** Under which the log of the room went on when that was read. Under another one the store may have fallen back, to a roll with the same mark: who went to another node is where he was. */
  #epoch = ''
  /** The highest mark that was heard of since it was asked for last, and could not be followed. */
  #heard = 0
  #isUnsure: boolean
  /** By id, the names of those who are on the roll of the store as being here, and are not; until it has said whether they are at another node. */
  readonly #doubtful = new Map<string, string>()

  /** `shared`: other nodes have members too. `isHere`: whether this node has that client in the room. */
  constructor(shared: boolean, isHere: (id: string) => boolean) {
    this.#shared = shared
    this.#isUnsure = shared
    this.#isHere = isHere
  }

  get size(): number {
    return this.#names.size
  }

  /** Whether it says who is at other nodes. */
  get isKnown(): boolean {
    return !this.#shared || this.#mark > 0
  }

  /** Whether the store is still to be told something. */
  get hasNews(): boolean {
    return this.#changes.size > 0
  }

  /** Whether the store is still to be told something, or to answer. */
  get isBusy(): boolean {
    return this.hasNews || this.#asked !== null
  }

  /** Those after that id, by id. */
  list(after: string, limit: number): (readonly [id: string, name: string])[] {
    const rest = [...this.#names].filter(([id]) => id > after)
    return rest.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit)
  }

  /** Somebody came to this node. */
  come(id: string, name: string): News[] {
    const isNew = !this.#names.has(id)
    this.#names.set(id, name)
    this.#doubtful.delete(id)
    if (this.#shared) this.#changes.set(id, name)
    return isNew ? [{ event: 'join', id, name }] : []
  }

  /** Somebody went from this node, and is not on his way back to it. */
  go(id: string): News[] {
    if (!this.#shared) return this.#strike(id)
    this.#changes.set(id, null)
    return []
  }

  /** The roll is to be asked for: something may not have been heard. */
  look(): void {
    this.#isUnsure = this.#shared
  }

  /** What the store is to be told now; null: nothing. One report is under way at a time. */
  report(epoch: string): RollReport | null {
    const isDoubted = this.#shared && epoch !== this.#epoch
    if (this.#asked !== null || (!this.hasNews && !this.#isUnsure && !isDoubted)) return null
    const all = [...this.#changes]
    const changes = new Map(all.slice(0, REPORTED))
    this.#changes = new Map(all.slice(REPORTED))
    this.#asked = { epoch, seen: this.#mark, changes, came: new Set(), isVoid: false }
    this.#isUnsure = false
    this.#heard = 0
    const coming = [...changes].flatMap(([id, name]) => (name === null ? [] : { id, name }))
    const going = [...changes].flatMap(([id, name]) => (name === null ? id : []))
    return { epoch, coming, going, seen: isDoubted ? 0 : this.#mark }
  }

  /** The answer to a report; null: there was none, and it is made again. */
  answered(answer: RollAnswer | null): News[] {
    const asked = this.#asked
    this.#asked = null
    if (asked === null || asked.isVoid) return []
    if (answer === null) {
      this.#changes = new Map([...asked.changes, ...this.#changes])
      this.#isUnsure = true
      return []
    }
    const { mark, everybody } = answer
    this.#isUnsure ||= this.#heard > Math.max(mark, this.#mark === asked.seen ? 0 : this.#mark)
    // What was heard meanwhile goes further. Only then: after a failover marks may be lower than before.
    if (this.#mark !== asked.seen && mark <= this.#mark) return this.#gone(asked, answer.stayed)
    this.#mark = mark
    this.#epoch = asked.epoch
    // Later than all that was heard meanwhile.
    asked.came.clear()
    return everybody === null ? this.#gone(asked, answer.stayed) : this.#reconcile(everybody)
  }

  /** The store knows no such room. False: that is no answer about the one that this is now. */
  disowned(): boolean {
    const asked = this.#asked
    this.#asked = null
    return asked !== null && !asked.isVoid
  }

  /** A node has reported something. */
  heard({ before, mark, changes }: RollNews): News[] {
    if (mark <= this.#mark) return []
    if (this.#mark === 0 || before !== this.#mark) {
      this.#heard = Math.max(this.#heard, mark)
      // What is under way may cover it.
      this.#isUnsure ||= this.#asked === null
      return []
    }
    this.#mark = mark
    return changes.flatMap(([id, name]) => {
      if (name === null) {
        this.#asked?.came.delete(id)
        this.#doubtful.delete(id)
        return this.#went(id)
      }
      this.#asked?.came.add(id)
      return this.#came(id, name)
    })
  }

  /** Nobody is in it any more, or it is the roll of another room from now on. */
  clear(): void {
    if (this.#asked !== null) this.#asked.isVoid = true
    this.#names.clear()
    this.#doubtful.clear()
    this.#changes = new Map()
    this.#mark = this.#heard = 0
    this.#isUnsure = this.#shared
  }

  /** Whoever was reported as going is gone, whether or not the store knew that he had come; unless he is at another node. */
  #gone({ changes, came }: Asked, stayed: readonly string[]): News[] {
    const staying = new Set(stayed)
    const going = [...changes].flatMap(([id, name]) => (name === null ? id : []))
    return going.flatMap(id => {
      const doubted = this.#doubtful.get(id)
      this.#doubtful.delete(id)
      if (staying.has(id)) return doubted === undefined ? [] : this.#came(id, doubted)
      return came.has(id) ? [] : this.#went(id)
    })
  }

  #reconcile(everybody: readonly Listed[]): News[] {
    const listed = new Set(everybody.map(({ id }) => id))
    const gone = [...this.#names.keys()].filter(id => !listed.has(id))
    const news = gone.flatMap(id => this.#went(id))
    this.#doubtful.clear()
    for (const { id, name, here } of everybody) {
      if (!here || this.#isHere(id) || this.#changes.has(id)) news.push(...this.#came(id, name))
      else {
        // The store believes that he is here, and would for ever.
        this.#changes.set(id, null)
        this.#doubtful.set(id, name)
      }
    }
    return news
  }

  #came(id: string, name: string): News[] {
    const isNew = !this.#names.has(id)
    this.#names.set(id, name)
    return isNew ? [{ event: 'join', id, name }] : []
  }

  /** Who is here after all is reported again. */
  #went(id: string): News[] {
    const name = this.#names.get(id)
    if (name === undefined || !this.#isHere(id)) return this.#strike(id)
    if (!this.#changes.has(id)) this.#changes.set(id, name)
    return []
  }

  #strike(id: string): News[] {
    const name = this.#names.get(id)
    this.#names.delete(id)
    return name === undefined ? [] : [{ event: 'leave', id, name }]
  }
}
