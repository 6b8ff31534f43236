/** The machine that is measured: which core is whose, how many files a process may open, and what it is called in a report. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

/** The server's core, and the load generator's when there is a second one. */
const SERVER_CORE = '0'
const OWN_CORE = '1'

/** The command before the server's that keeps it on its core; with `sameCore` that core is shared, and both are batch processes. */
export function serverPrefix(sameCore = false): string[] {
  if (!hasTaskset()) return []
  const batch = sameCore ? ['chrt', '-b', '0'] : []
  return [...batch, 'taskset', '-c', SERVER_CORE]
}

/** Keeps this process, with all of its threads, on the other core. */
export function pinSelf(sameCore = false): void {
  if (!hasTaskset()) return
  const core = cpus().length > 1 && !sameCore ? OWN_CORE : SERVER_CORE
  execFileSync('taskset', ['-acp', core, String(process.pid)], { stdio: 'ignore' })
  if (sameCore) execFileSync('chrt', ['-a', '-b', '-p', '0', String(process.pid)], { stdio: 'ignore' })
}

function hasTaskset(): boolean {
  return spawnSync('taskset', ['--version']).error === undefined
}

/** How many files this process may open, and the server that it starts as well. */
export function descriptors(): number {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
  const limit = stdout.trim()
  return limit === 'unlimited' ? Infinity : Number(limit) || 1024
}

export function machineName(): string {
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}`
}
