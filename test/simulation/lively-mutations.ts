/** The rules about what clients and operators do, in worlds in which they do as they like; see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

export const livelyMutations: readonly Mutation[] = [
  {
    rule: 'who takes his leave has what is un-acked parked',
    edits: [
      {
        file: 'src/core/session.ts',
        find: 'if (this.leave(false, false)) this.connection.end()',
        replace: 'this.#gone = true\n    this.#hub.forget(this)\n    this.connection.end()',
      },
    ],
    within: 100,
  },
  {
    rule: 'so has who is sent away by an operator',
    edits: [{ file: 'src/core/hub.ts', find: "session?.close('kicked')", replace: 'this.#sessions.delete(id)' }],
    within: 100,
  },
  {
    rule: 'outboxes of one client are apart',
    edits: [
      {
        file: 'src/protocol/mailbox.ts',
        find: 'return `${from} ${outbox}`',
        replace: 'return `${from} ${outbox.slice(0, 1)}`',
      },
    ],
    within: 100,
  },
  {
    rule: 'who has not read is fed on when he has',
    edits: [
      {
        file: 'src/core/room.ts',
        find: 'if (member.paging || member.session.connection.unread > UNREAD_BYTES) return',
        replace: 'if (member.paging ||= member.session.connection.unread > UNREAD_BYTES) return',
      },
    ],
    within: 200,
  },
  {
    rule: 'who may not write for a while writes on afterwards',
    edits: [
      {
        file: 'src/client/outbox.ts',
        find: '      // Nothing is sent or heard on this connection any more.\n      this.#frames = null\n',
        replace: '      stream.pausedUntil = Infinity\n',
      },
    ],
    within: 1_000,
  },
]
