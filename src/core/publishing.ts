/**
 * Where the messages of one session to one room go: into the log, if the session is in the room; if it is on its way in, they wait
 * for that. It stands where a stream to a client has that client's session.
 */
import type { Message } from './message.ts'
import type { Hub } from './hub.ts'
import type { Session } from './session.ts'

export class Publishing {
  readonly open = true
  readonly #hub: Hub
  readonly #session: Session
  readonly #room: string

  constructor(hub: Hub, session: Session, room: string) {
    this.#hub = hub
    this.#session = session
    this.#room = room
  }

  take(message: Message): void {
    const { custody } = this.#hub
    const member = this.#session.attendance?.members.get(this.#room)
    if (member === undefined) custody.refuse(message, 'not_joined')
    // Rights may have become less since it joined.
    else if (!this.#session.mayEnter(this.#room)) custody.refuse(message, 'forbidden')
    else if (member.state === 'live') custody.publish(message, member)
    else member.waiting.push(message)
  }
}
