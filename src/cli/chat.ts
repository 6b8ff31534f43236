/**
 * `ackd chat`: a room in a terminal, over any transport. Everybody in it hears what is typed, but for who typed it; who comes and goes is
 * told; `/to NAME` speaks to one of them alone.
 *
 * What is typed gets a tick when the server keeps it (●) and, between two, when the other one has it (✓). A line that is not written
 * yet waits for the ones before it, so the terminal shows things in the order in which they happened.
 */
import { userInfo } from 'node:os'
import { AckdError, type Client, type Message, type Room, type RoomMessage, type Sent } from '../client/index.node.ts'
import { toSpeech } from './bodies.ts'
import { endedByServer, interrupted, openClient, refusal, type ConnectFlags } from './connecting.ts'
import { Failure } from './failure.ts'
import { IdleWatch } from './idle-watch.ts'
import { readLines } from './lines.ts'
import { roomName, shownName } from './names.ts'
import { Profiles } from './profiles.ts'
import { showDuration } from './quantities.ts'
import { Roster } from './roster.ts'
import type { Context } from './context.ts'
import { harmless, type Terminal } from './terminal.ts'

export interface ChatFlags extends ConnectFlags {
  readonly name?: string
  readonly password?: string
  readonly create?: boolean
}

const MAX_LINE = 64 * 1024
/** Characters of a message that its tick repeats. */
const EXCERPT = 40
const HELP = 'type to speak to all; /to NAME TEXT to one; /who; /quit'

export async function chat(named: string, flags: ChatFlags, context: Context): Promise<void> {
  const { terminal, environment } = context
  const profiles = new Profiles(environment, flags)
  const name = shownName(flags.name ?? flags.as ?? userInfo().username)
  const room = roomName(named)
  const { client } = await openClient({ ...flags, name, waitMs: 0 }, profiles, context)
  try {
    const talk = new Talk(client, await enter(client, room, flags), name, terminal)
    await talk.begin()
    await Promise.race([interrupted(), endedByServer(client), talk.idled, talk.listenTo(process.stdin)])
    await talk.end()
  } finally {
    await client.close()
    process.stdin.destroy()
  }
}

async function enter(client: Client, room: string, { password, create }: ChatFlags): Promise<Room> {
  const secret = password === undefined ? {} : { password }
  try {
    if (create === true) await client.rooms.create(room, secret)
    return await client.rooms.join(room, secret)
  } catch (error) {
    if (!(error instanceof AckdError)) throw error
    if (error.code === 'no_such_room')
      throw new Failure('refused', `there is no room ${room}`, `make it: ackd chat '${room}' --create`)
    if (error.code === 'bad_password')
      throw new Failure('refused', `the password of ${room} is missing or wrong`, 'give it with --password')
    throw refusal(error)
  }
}

class Talk {
  /** Resolves when the server has ended it for silence. */
  readonly idled: Promise<void>
  readonly #client: Client
  readonly #room: Room
  readonly #name: string
  readonly #terminal: Terminal
  readonly #roster = new Roster()
  readonly #watch: IdleWatch
  #written: Promise<void> = Promise.resolve()

  constructor(client: Client, room: Room, name: string, terminal: Terminal) {
    this.#client = client
    this.#room = room
    this.#name = name
    this.#terminal = terminal
    this.#watch = new IdleWatch((saidForMs, leftMs) =>
      this.#tell(
        `nothing was said for ${showDuration(saidForMs)}; this ends in ${showDuration(leftMs)} unless you say something`,
      ),
    )
    this.idled = new Promise(resolve => {
      client.on('status', status => {
        if (status.state === 'connected') this.#watch.begin(status.idleTimeoutMs ?? 0)
        if (status.state !== 'waiting' || status.reason !== 'idle') return
        this.#tell('the server ended it: nothing was said for too long')
        resolve()
      })
    })
    const { status } = client
    if (status.state === 'connected') this.#watch.begin(status.idleTimeoutMs ?? 0)
  }

  /** Says who is here, and from then on who says what, comes and goes. */
  async begin(): Promise<void> {
    const room = this.#room
    room.on('member', ({ event, id, name }) => {
      if (id === this.#client.id) return
      if (event === 'join') this.#roster.add(id, name)
      this.#tell(`${this.#roster.labelOf(id)} ${event === 'join' ? 'came' : 'left'}`)
      if (event === 'leave') this.#roster.delete(id)
    })
    room.on('left', ({ error }) => this.#tell(`out of ${room.name}: ${error.message}`))
    await this.#meet()
    this.#tell(
      `welcome to ${room.name}, ${this.#name}; here are: ${this.#roster.others(this.#client.id).join(', ') || 'nobody else yet'}`,
    )
    this.#tell(HELP)
    room.on('message', message => this.#heard(message))
    this.#client.on('message', message => this.#heardAlone(message))
  }

  /** Takes what is typed until its end, or until `/quit`. */
  async listenTo(input: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const line of readLines(input, MAX_LINE)) {
      if (line.trim() === '') continue
      if (line.trim() === '/quit') return
      this.#watch.said()
      if (line.startsWith('/')) await this.#command(line.trim())
      else this.#tick(this.#room.send(line), line, null)
    }
  }

  /** Waits until all is written. */
  async end(): Promise<void> {
    this.#watch.end()
    this.#room.leave()
    await this.#written
  }

  async #meet(): Promise<void> {
    for (let after: string | null = ''; after !== null;) {
      const { members, next } = await this.#room.members(after === '' ? {} : { after })
      for (const { id, name } of members) this.#roster.add(id, name)
      after = next
    }
  }

  async #command(line: string): Promise<void> {
    const [command = '', name = '', ...words] = line.split(' ')
    if (command === '/who') {
      await this.#meet()
      this.#tell(`here are: ${this.#roster.others(null).join(', ')}`)
    } else if (command === '/to') this.#whisper(name, words.join(' '))
    else this.#tell(HELP)
  }

  #whisper(name: string, text: string): void {
    const id = this.#roster.find(name)
    if (id === null || text === '') this.#tell(id === null ? `nobody here is called ${name}; see /who` : HELP)
    else this.#tick(this.#client.send(id, text), text, this.#roster.labelOf(id))
  }

  #heard({ from, body }: RoomMessage): Promise<void> {
    return from === this.#client.id ? Promise.resolve() : this.#say(this.#roster.labelOf(from), '', body)
  }

  #heardAlone({ from, body }: Message): Promise<void> {
    return this.#say(this.#roster.labelOf(from), ' to you alone', body)
  }

  #say(who: string, how: string, body: unknown): Promise<void> {
    return this.#write(`${this.#terminal.paint('cyan', who)}${how}  ${harmless(toSpeech(body))}`)
  }

  /** `to`: null for the room, whose log is the end of it. */
  #tick(sending: Promise<Sent>, text: string, to: string | null): void {
    const what = `${to === null ? '' : `to ${to}: `}${harmless(text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text)}`
    const mark = (sign: string): void => void this.#write(this.#terminal.paint('dim', `${sign} ${what}`))
    sending.then(
      sent => {
        if (sent.status === 'delivered') return mark('✓')
        mark('●')
        if (to !== null) void sent.delivered.then(ending => mark(ending === 'delivered' ? '✓' : `✗ ${ending}`))
      },
      (error: unknown) => mark(`✗ ${error instanceof Error ? error.message : String(error)}`),
    )
  }

  #tell(line: string): void {
    void this.#write(this.#terminal.paint('yellow', `* ${harmless(line)}`))
  }

  #write(line: string): Promise<void> {
    this.#written = this.#written.then(() => this.#terminal.data(line))
    return this.#written
  }
}
