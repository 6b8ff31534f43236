/**
 * A client in a process of its own, to be killed: `party.ts reader|writer <url> <directory> <history> <name> [seed, recipients…]`.
 * Everything that must outlive it is in the directory. Prints its address, and ends when its stdin does.
 *
 * A keeper between the client and its directory notes what has reached the journal: from then on a message outlives its sender, and
 * is not shown again to its recipient.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { directoryKeeper } from '../../src/client/directory.node.ts'
import { connect, type Keeper } from '../../src/client/index.node.ts'
import { decodeBody } from '../../src/protocol/values.ts'
import { Random } from '../simulation/random.ts'
import { History, parseHistory, type Happening } from './history.ts'
import { numberIn, quickBackoff, read, Sender } from './traffic.ts'

const PAUSE_MS = 60
/** A handler takes so long, so that kills come in the midst of it. */
const HANDLER_MS = 20
/** ms to wait at the end for what is open. */
const FLUSH_MS = 60_000

const [, , role = '', url = '', directory = '', histories = '', name = '', seed = '1', ...recipients] = process.argv
const before = earlier()
const history = new History(histories, name)
const shown = new Map<string, number>()
const client = connect(url, { keeper: witnessed(directoryKeeper(directory)), backoff: quickBackoff })
const known = client.id
if (known !== null) begin(known)
const id = await client.ready()
if (known === null) begin(id)
process.stdout.write(`${id}\n`)
process.stdin.resume()
process.stdin.on('end', () => void end())

/** What the processes before this one noted. */
function earlier(): ReturnType<typeof parseHistory> {
  try {
    return parseHistory(readFileSync(join(histories, `${name}.jsonl`), 'utf8'))
  } catch {
    return []
  }
}

/** Before anything can be shown. */
function begin(id: string): void {
  history.note({ who: id, what: 'start' })
  if (role === 'reader') {
    read({
      client,
      id,
      history,
      slowMs: HANDLER_MS,
      onShown: ({ from, outbox, n }, k) => shown.set(`${from} ${outbox} ${n}`, k),
    })
  } else {
    const sender = new Sender({ client, id, history, random: new Random(Number(seed)) }, before)
    process.stdin.on('end', () => sender.stop())
    void sender.run(recipients, PAUSE_MS)
  }
}

async function end(): Promise<void> {
  await client.close({ flushMs: role === 'reader' ? 100 : FLUSH_MS })
  process.exit(0)
}

function witnessed(keeper: Keeper): Keeper {
  let pending: Happening[] = []
  const who = (): string => client.id ?? ''
  return {
    identity: keeper.identity,
    outbox: keeper.outbox,
    cursors: keeper.cursors,
    rooms: keeper.rooms,
    attach: (...snapshots) => keeper.attach(...snapshots),
    changed: change => {
      keeper.changed(change)
      if (change.kind !== 'added') return
      const { target, body } = change.message
      pending.push({ who: who(), what: 'kept', stream: `${who()}>${target}`, k: numberIn(decodeBody(body)) })
    },
    recorded: cursor => {
      keeper.recorded(cursor)
      const k = shown.get(`${cursor.from} ${cursor.outbox} ${cursor.n}`)
      shown.delete(`${cursor.from} ${cursor.outbox} ${cursor.n}`)
      if (k !== undefined) pending.push({ who: who(), what: 'ack', stream: `${cursor.from}>${who()}`, k })
    },
    roomRecorded: cursor => keeper.roomRecorded(cursor),
    commit: () => {
      const kept = keeper.commit()
      for (const happening of pending) history.note(happening)
      pending = []
      return kept
    },
    close: () => keeper.close(),
  }
}
