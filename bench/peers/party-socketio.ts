/** A client of Socket.IO over WebSocket: an event with an ack, which the server passes on to the recipient and whose ack it passes back. */
import type { Buffer } from 'node:buffer'
import { Pipe, webSocketAt, type Address, type PipeEvents, type Wire } from '../pipe.ts'
import { BODY, gathered, type Guest, type Party } from './party.ts'

export const socketIo: Wire = webSocketAt('/socket.io/?EIO=4&transport=websocket', null, true)

/** Digits of a tag at the end of a body. */
const TAG = 16
const filling = 'a'.repeat(BODY - TAG)

export class SocketIoParty implements Party, PipeEvents {
  address = ''
  readonly #guest: Guest
  readonly #pipe: Pipe
  #target = ''
  #call = 0
  #entered: () => void = () => {}

  private constructor(address: Address, guest: Guest) {
    this.#guest = guest
    this.#pipe = new Pipe(address, this)
  }

  static open(address: Address, guest: Guest): Promise<Party> {
    return new Promise(resolve => {
      const party = new SocketIoParty(address, guest)
      party.#entered = () => resolve(party)
      party.#pipe.open()
    })
  }

  aim(address: string): void {
    this.#target = address
  }

  /** One event is one message of WebSocket, so there is nothing to gather. */
  send(tag: number): void {
    this.#say(`42${this.#call++}["message","${this.#target}","${bodyOf(tag)}"]`)
  }

  publish(tag: number): void {
    this.#say(`42["room","${bodyOf(tag)}"]`)
  }

  flush(): void {
    this.#pipe.uncork()
  }

  leave(): Promise<void> {
    return this.#pipe.leave(null)
  }

  ready(): void {}

  packet(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end)
    if (text.startsWith('43')) this.#guest.events.settled(this.#guest.number, 1)
    else if (text.startsWith('42')) this.#event(text)
    else if (text.startsWith('40')) this.#connected(text)
    else if (text.startsWith('2')) this.#say('3')
    else if (text.startsWith('0')) this.#say(this.#guest.room ? '40{"room":true}' : '40')
    else this.trouble(`an unexpected packet: ${text}`)
  }

  turnEnded(): void {
    this.flush()
  }

  trouble(text: string): void {
    this.#guest.events.trouble(text)
  }

  #say(text: string): void {
    this.#pipe.cork()
    gathered.text(text)
    this.#pipe.write(gathered.take())
  }

  /** `42`, the number of the call if an ack is wanted, and an array: name and body. */
  #event(text: string): void {
    const start = text.indexOf('[')
    if (start > 2) this.#say(`43${text.slice(2, start)}[]`)
    this.#guest.events.received(this.#guest.number, Number(text.slice(-2 - TAG, -2)))
  }

  #connected(text: string): void {
    this.address = /"sid":"([^"]+)"/.exec(text)?.[1] ?? ''
    this.#entered()
  }
}

function bodyOf(tag: number): string {
  return filling + tag.toFixed(3).padStart(TAG, '0')
}
