/**
 * Those who want to enter a room, until the store has said whether there is one.
 *
 * One question is under way for all who wanted to know when it was put. Who comes later is answered by the next: he may know of
 * a room that has been made since.
 */
import type { Member } from './member.ts'

export class Strangers {
  #waiting: Member[] = []
  #asked: Member[] = []

  add(member: Member): void {
    this.#waiting.push(member)
  }

  /** Whether the store was asked, and has not answered. */
  get asking(): boolean {
    return this.#asked.length > 0
  }

  /** Whether the store is to be asked now. */
  ask(): boolean {
    if (this.#asked.length > 0) return false
    this.#asked = this.#waiting.filter(isThere)
    this.#waiting = []
    return this.#asked.length > 0
  }

  /** The store has answered these. */
  answered(): Member[] {
    const asked = this.#asked.filter(isThere)
    this.#asked = []
    return asked
  }

  /** There is no such room yet, but there will be: these wait until it has been made, and then ask again. */
  wait(members: readonly Member[]): void {
    this.#asked = [...members]
  }
}

function isThere({ state }: Member): boolean {
  return state === 'asking'
}
