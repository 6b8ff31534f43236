/**
 * The servers of one run, none of which outlives it.
 *
 * What goes wrong in the middle of a measurement is thrown where nobody waits for it, and whoever stops the bench means its servers
 * too. So both end here.
 */
import { Server } from './server.ts'

export class Servers {
  readonly #prefix: readonly string[]
  readonly #running = new Set<Server>()
  #aborted = false

  /** `prefix`: a command before that of every server, such as `taskset -c 0`. */
  constructor(prefix: readonly string[]) {
    this.#prefix = prefix
  }

  async start(): Promise<Server> {
    const server = await Server.start(this.#prefix)
    this.#running.add(server)
    return server
  }

  async stop(server: Server): Promise<void> {
    this.#running.delete(server)
    await server.stop()
  }

  /** Does the work and stops what is left; at the first fault, or at a signal in between, this process says so and ends with 1. */
  async during(work: () => Promise<void>): Promise<void> {
    for (const event of ['uncaughtException', 'SIGINT', 'SIGTERM']) process.on(event, this.#abort)
    try {
      await work()
      await this.#stopAll()
    } catch (error) {
      this.#abort(error)
    }
  }

  readonly #abort = (reason: unknown): void => {
    if (this.#aborted) return
    this.#aborted = true
    process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`)
    void this.#stopAll().then(() => process.exit(1))
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#running].map(server => this.stop(server)))
  }
}
