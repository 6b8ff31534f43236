/** Warns somebody who says nothing before a server with an idle policy ends the connection for it. */

/** The part of the time after which there is a warning. */
const WARN_AT = 5 / 6

export class IdleWatch {
  readonly #warn: (silentMs: number, leftMs: number) => void
  #timeoutMs = 0
  #timer: NodeJS.Timeout | undefined

  /** `warn` is called once in each silence. */
  constructor(warn: (silentMs: number, leftMs: number) => void) {
    this.#warn = warn
  }

  /** 0: the server has no such policy. */
  begin(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs
    this.said()
  }

  said(): void {
    clearTimeout(this.#timer)
    if (this.#timeoutMs === 0) return
    const silentMs = Math.round(this.#timeoutMs * WARN_AT)
    this.#timer = setTimeout(() => this.#warn(silentMs, this.#timeoutMs - silentMs), silentMs)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
