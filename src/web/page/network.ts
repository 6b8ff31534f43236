/**
 * A network that can be cut, so that people can see for themselves what happens then: open connections end without a word, and new ones
 * fail, in all tabs, until it is restored.
 */
import { webSockets, type OpenSocket, type Socket, type WebSocketClass } from '../../client/sockets.ts'
import { settings } from './settings.ts'

/** As the library sees it. */
declare const WebSocket: WebSocketClass

const NAME = 'cut'

export class Network {
  #isCut = settings.read(NAME) !== null
  readonly #open = new Set<Socket>()
  readonly #changed: (isCut: boolean) => void
  readonly #unwatch: () => void

  constructor(changed: (isCut: boolean) => void) {
    this.#changed = changed
    this.#unwatch = settings.watch(NAME, value => this.#set(value !== null))
  }

  get isCut(): boolean {
    return this.#isCut
  }

  readonly openSocket: OpenSocket = (url, events) => {
    if (this.#isCut) throw new Error('The network was cut by a button of the page.')
    let isOver = false
    const end = (number: number, name: string): void => {
      this.#open.delete(pipe)
      if (!isOver) events.closed(number, name)
      isOver = true
    }
    const socket = webSockets(WebSocket)(url, {
      opened: () => isOver || events.opened(),
      packet: (bytes, text) => isOver || events.packet(bytes, text),
      closed: end,
    })
    // Closed by the cut: nothing that the server still says is heard.
    const pipe: Socket = {
      send: packet => isOver || socket.send(packet),
      close: () => {
        socket.close()
        if (this.#isCut) queueMicrotask(() => end(1006, ''))
      },
    }
    this.#open.add(pipe)
    return pipe
  }

  cut(isCut: boolean): void {
    settings.write(NAME, isCut ? 'cut' : '')
    this.#set(isCut)
  }

  stop(): void {
    this.#unwatch()
  }

  #set(isCut: boolean): void {
    if (isCut === this.#isCut) return
    this.#isCut = isCut
    if (isCut) for (const pipe of [...this.#open]) pipe.close()
    this.#changed(isCut)
  }
}
