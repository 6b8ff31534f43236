/**
 * Reaches a Redis once, as a node does, and tells what it found there: for the command line. It stores nothing.
 *
 * The judgement is that of the link itself, so that what an operator is told beforehand is what the server will say.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { redisWay } from './address.ts'
import { RedisLink } from './link.ts'
import { listOf, textOf } from './records.ts'
import { readInfo, type Info } from './settings.ts'
import { createScripts } from './scripts.ts'
import { defaultStoreLimits } from '../store.ts'

/** How long it may take to be reached, ms; as for a server that starts. */
const REACH_MS = 3_000

export interface RedisLook {
  /** For people: the address without user and password. */
  readonly address: string
  readonly info: Info
  /** What could be better: a sentence each, and after a semicolon its fix. */
  readonly notes: readonly string[]
  /** How far the clock of this machine is ahead, ms; half of the way there and back may be wrong with it. */
  readonly aheadMs: number
}

/** `caFile` is a path, or ''. Rejects with `StoreError` when it cannot be reached, or must not be used. */
export async function lookAtRedis(url: string, caFile: string): Promise<RedisLook> {
  const way = redisWay(url, caFile)
  const told: string[] = []
  const link = new RedisLink({
    ...way,
    scripts: createScripts(defaultStoreLimits),
    formatKey: null,
    onNote: note => told.push(note),
  })
  try {
    await Promise.race([link.tried, sleep(REACH_MS, undefined, { ref: false })])
    if (link.trouble !== null) throw link.trouble
    // The first word of a link is that Redis is there.
    const notes = told.slice(1)
    return {
      address: way.address.shown,
      info: readInfo(textOf(await link.send('INFO'))),
      notes,
      aheadMs: await compareClocks(link),
    }
  } finally {
    await link.close()
  }
}

async function compareClocks(link: RedisLink): Promise<number> {
  const before = Date.now()
  const [seconds, microseconds] = listOf(await link.send('TIME')).map(part => Number(textOf(part)))
  const theirs = (seconds ?? NaN) * 1_000 + (microseconds ?? NaN) / 1_000
  return (before + Date.now()) / 2 - theirs
}
