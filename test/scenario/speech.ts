/** What all lines of a story have in common: who acts, and over which connection. */
import type { Pipe } from './pipe.ts'
import type { World } from './world.ts'

export type Captured = (name: string) => string
export type Act = (world: World, captured: Captured) => void

export const ACTOR = String.raw`(?<actor>[A-Z]\w+)(?:'s (?<which>earlier connection|[a-z]+))?`

export function idOf(world: World, target: string): string {
  return /^[A-Z]\w+$/.test(target) ? world.person(target).id : target
}

export function pipe(world: World, of: Captured): Pipe {
  const found = world.person(of('actor')).pipe(of('which'))
  if (!found.open) throw new Error(`${of('actor')} is not connected`)
  return found
}

export function session(world: World, of: Captured): NonNullable<Pipe['session']> {
  const found = pipe(world, of).session
  if (found?.ready !== true) throw new Error(`${of('actor')} was not welcomed yet`)
  return found
}
