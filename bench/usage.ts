/** What the kernel says that a process has used, read from `/proc`. */
import { readFileSync, readdirSync } from 'node:fs'

/** ns on a core so far, of all threads that live. `schedstat` counts in nanoseconds, and per thread, so that those of a store are part of the bill. */
export function cpuOf(pid: number): number {
  let total = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  }
  return total
}

/** Bytes of memory that are its own: what it maps of files is not counted. */
export function memoryOf(pid: number): number {
  return status(pid, 'RssAnon')
}

/** Bytes of memory that it has at the moment, with what it maps of files. */
export function residentOf(pid: number): number {
  return status(pid, 'VmRSS')
}

function status(pid: number, name: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) * 1024
}
