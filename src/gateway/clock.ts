/**
 * The time, read once per turn of the loop: everything that happens in one turn happens at the same instant.
 *
 * Both are whole milliseconds. The monotonic one is counted from the start of the process, so it stays a small integer; the wall
 * clock may jump, and nothing is timed by it.
 */
export class Clock {
  /** Monotonic ms. */
  now = 0
  /** ms since the epoch. */
  time = 0

  constructor() {
    this.read()
  }

  read(): void {
    this.now = Math.trunc(performance.now())
    this.time = Date.now()
  }
}
