/** What clients and operators do to a world besides what goes wrong in it: leave and come back, not read, be sent away, lose rights and get them back. */
import { ordinary } from '../../src/core/rights.ts'
import type { Person } from './person.ts'
import type { World } from './world.ts'

export function enliven(world: World, person: Person): void {
  const { random, schedule, people, scenario } = world
  const { id, wire } = person
  switch (random.between(0, 5)) {
    case 0:
      return person.bye()
    case 1:
      return wire?.tell(hub => hub.kick(id ?? ''))
    case 2:
      return wire?.tell(hub => hub.session(id ?? '')?.close('unauthorized'))
    case 3: {
      if (!scenario.ends.includes('forbidden')) return person.bye()
      const other = random.pick(people)?.id ?? ''
      person.entitle({ ...ordinary, targets: [other] })
      return schedule.after(random.between(200, 3_000), () => person.entitle(ordinary))
    }
    default:
      return wire?.deafen(random.between(50, 5_000), random.between(1_000, 4_000))
  }
}
