/** What happens to a world in which no word gets lost: connections are cut and left, handlers and stores are slow, servers are restarted as they should. */
import { areOfOneRoom } from '../../src/protocol/rooms.ts'
import type { Node } from './node.ts'
import type { Person } from './person.ts'
import type { World } from './world.ts'

export function disturb(world: World, person: Person, node: Node): void {
  const { random, now } = world
  switch (random.between(0, 6)) {
    case 0:
    case 1:
      return person.wire?.cut()
    case 2:
      return person.abandon()
    case 3:
      return person.restart()
    case 4:
      return node.shutDown()
    case 5:
      world.storeSlowUntil = now + random.between(200, 1_000)
      return
    default:
      return person.stall(random.between(100, 5_000))
  }
}

/** Whatever became of their messages, all senders were told. */
export function judgeTold({ people, history }: World): void {
  for (const { name, untold } of people)
    if (untold > 0) history.wrong(`untold: ${name} was not told what became of ${untold} stored messages`)
}

/** What was said in a room that is no more is not in the one that has its name now. */
export function judgeCircle({ people, history }: World, letters: Iterable<string>, made: string): void {
  for (const letter of letters) {
    const [epoch = ''] = people.flatMap(({ saidIn }) => saidIn.get(letter) ?? [])
    if (epoch !== '' && !areOfOneRoom(epoch, made))
      history.wrong(`circle: ${letter} was said in ${epoch}, and is in ${made}`)
  }
}
