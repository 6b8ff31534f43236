/**
 * The rolls of rooms as plain maps: every rule of `neighbours.ts`, written to be read. Worlds without real time run on it, and the scripts
 * of Redis are held against it.
 */
import type { RollAnswer, RollNews, RollReport } from '../../src/protocol/rolls.ts'
import { areOfOneRoom } from '../../src/protocol/rooms.ts'
import { ROLL_NAMES } from '../../src/store/neighbours.ts'

interface Roll {
  /** Of its room, with which it goes. */
  readonly epoch: string
  mark: number
  /** By id. */
  readonly present: Map<string, { readonly lease: string; readonly name: string }>
}

export type RollSnapshot = ReadonlyMap<string, Roll>

function copyRolls(rolls: RollSnapshot): Map<string, Roll> {
  return new Map(Array.from(rolls, ([name, roll]) => [name, { ...roll, present: new Map(roll.present) }]))
}

export interface RollWorld {
  /** µs */
  clock(): number
  /** Whether there is such a room, and the epoch is one of its. */
  knows(room: string, epoch: string): boolean
  lives(lease: string): boolean
  changed(room: string, news: RollNews): void
}

export class RollTables {
  readonly #world: RollWorld
  #rolls = new Map<string, Roll>()

  constructor(world: RollWorld) {
    this.#world = world
  }

  snapshot(): RollSnapshot {
    return copyRolls(this.#rolls)
  }

  restore(snapshot: RollSnapshot): void {
    this.#rolls = copyRolls(snapshot)
  }

  /** Who is on the roll, by id. */
  present(room: string): readonly string[] {
    return [...(this.#rolls.get(room)?.present.keys() ?? [])].sort()
  }

  report(room: string, own: string, { epoch, coming, going, seen }: RollReport): RollAnswer | null {
    if (!this.#world.knows(room, epoch)) return null
    const roll = this.#rollOf(room, epoch)
    const { mark: before, present } = roll
    const changes: [string, string | null][] = []
    const dead = [...present].filter(([, { lease }]) => lease !== own && !this.#world.lives(lease))
    for (const [id] of dead) {
      present.delete(id)
      changes.push([id, null])
    }
    for (const { id, name } of coming) {
      const isNew = !present.has(id)
      if (isNew && present.size >= ROLL_NAMES) continue
      present.set(id, { lease: own, name })
      if (isNew) changes.push([id, name])
    }
    const stayed = going.filter(id => present.has(id) && present.get(id)?.lease !== own)
    for (const id of going) {
      if (present.get(id)?.lease !== own) continue
      present.delete(id)
      changes.push([id, null])
    }
    if (changes.length > 0 || before === 0) roll.mark = Math.max(before + 1, this.#world.clock())
    if (changes.length > 0) this.#world.changed(room, { before, mark: roll.mark, changes })
    const isWhole = before === 0 || seen !== before || dead.length > 0
    const everybody = Array.from(present, ([id, { lease, name }]) => ({ id, name, here: lease === own }))
    return { mark: roll.mark, stayed, everybody: isWhole ? everybody : null }
  }

  #rollOf(room: string, epoch: string): Roll {
    const known = this.#rolls.get(room)
    if (known !== undefined && areOfOneRoom(known.epoch, epoch)) return known
    const roll: Roll = { epoch, mark: 0, present: new Map() }
    this.#rolls.set(room, roll)
    return roll
  }
}
