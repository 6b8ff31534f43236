/**
 * `ackd conformance URL…`: tries on a server what the protocol page says, through every URL, in both encodings, and between them.
 *
 * The server may be written in any language. Ends with 1 when it has a fault.
 */
import { openNodeSocket, type TlsTrust } from '../client/sockets.node.ts'
import { judge, type Door, type Verdict } from '../conformance/suite.ts'
import { readCa, unreachable, within } from './connecting.ts'
import type { Context } from './context.ts'
import { Failure } from './failure.ts'
import type { Terminal } from './terminal.ts'

export interface ConformanceFlags {
  /** A file. */
  readonly ca?: string
  readonly json?: boolean
}

/** ms to open a connection. */
const REACH_MS = 10_000

export async function conformance(urls: readonly string[], flags: ConformanceFlags, context: Context): Promise<void> {
  const { terminal } = context
  const trust = flags.ca === undefined ? {} : { ca: readCa(flags.ca) }
  for (const url of urls)
    await within(REACH_MS, `connection to ${url}`, reach(url, trust), { fix: 'see what is there, and what is between' })
  const started = performance.now()
  const counts = { kept: 0, broken: 0 }
  const lines: string[] = []
  await judge(
    urls.map(url => doorOf(url, trust)),
    verdict => {
      counts[verdict.fault === null ? 'kept' : 'broken']++
      terminal.progress(`${counts.kept + counts.broken} checks`)
      if (flags.json === true) lines.push(JSON.stringify({ ...verdict, fault: verdict.fault?.message ?? null }))
      else if (verdict.fault !== null) lines.push(faultLine(verdict, terminal))
    },
  )
  terminal.progress('')
  for (const line of lines) await terminal.data(line)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  if (counts.broken > 0) {
    throw new Failure(
      'failed',
      `${counts.broken} of ${counts.kept + counts.broken} checks failed`,
      'see docs/protocol.md',
    )
  }
  if (flags.json !== true) await terminal.data(`${terminal.paint('green', '✓')} ${counts.kept} checks in ${seconds} s`)
}

/** Opens a connection and closes it. Rejects when that cannot be done: every check would say so. */
function reach(url: string, trust: TlsTrust): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = openNodeSocket(
      url,
      {
        opened: () => {
          resolve()
          socket.close()
        },
        packet: () => {},
        closed: (_number, _name, why) => reject(unreachable(url, why ?? 'it was closed at once')),
      },
      trust,
    )
  })
}

function doorOf(url: string, trust: TlsTrust): Door {
  return {
    name: url,
    stream: /^(tcp|tls):/.test(url),
    openWire: events => {
      const socket = openNodeSocket(url, events, trust)
      return { send: (packet, text) => socket.send(packet, text), close: () => socket.close() }
    },
  }
}

function faultLine({ door, encoding, clause, does, fault }: Verdict, terminal: Terminal): string {
  return `${terminal.paint('red', '✗')} ${door} ${encoding}  ${clause} ${does}: ${fault?.message ?? ''}`
}
