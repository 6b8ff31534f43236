/**
 * The ports that a server would listen on.
 *
 * A port is tried by listening on it for a moment. One that is taken is no fault when an ackd has it, since a healthy server may be
 * looked at too; HTTP can be asked for that, and beside it the stream transports are taken at their word.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { optionTable, type Options } from '../options.ts'
import { otherPorts } from '../transport/ports.ts'
import { bad, good, type Finding } from './finding.ts'
import { hasCode } from './profiles.ts'

const HEALTH_MS = 2_000

export async function checkPorts(options: Options): Promise<readonly Finding[]> {
  const { host, port } = options
  const { wss, tcp, tls } = otherPorts(options)
  const findings: Finding[] = []
  let running = false
  for (const [name, number, flag] of [
    ['HTTP and WebSocket', port, '--port'],
    ['WebSocket over TLS', wss, '--wss-port'],
    ['TCP', tcp, '--tcp-port'],
    ['TLS', tls, '--tls-port'],
  ] as const) {
    if (number === null) findings.push(good(`${name} is off`))
    else if (number === 0) findings.push(good(`${name} takes any free port`))
    else {
      const trouble = await tryPort(host, number)
      if (flag === '--port' && hasCode(trouble, 'EADDRINUSE')) running = await isAckd(host, number)
      findings.push(judgePort(`${name}, port ${number} of ${host}:`, trouble, running, flag))
    }
  }
  return findings
}

function judgePort(port: string, trouble: unknown, running: boolean, flag: string): Finding {
  if (trouble === null) return good(`${port} free`)
  if (hasCode(trouble, 'EADDRINUSE')) {
    if (running) return good(`${port} taken, while an ackd runs here`)
    return bad(`${port} taken by another program.`, `End that one, or give another port with ${flag}.`)
  }
  if (hasCode(trouble, 'EACCES'))
    return bad(`${port} this user may not listen there.`, `Give a port from 1024 on with ${flag}.`)
  if (hasCode(trouble, 'EADDRNOTAVAIL') || hasCode(trouble, 'ENOTFOUND'))
    return bad(
      `${port} that is no address of this machine.`,
      `Give one with --host; ${optionTable.host.shown} is only for this machine.`,
    )
  return bad(`${port} ${said(trouble)}.`, `Give another port with ${flag}.`)
}

/** Null when it can be listened on. */
async function tryPort(host: string, port: number): Promise<unknown> {
  const server = createServer()
  try {
    await once(server.listen({ host, port, exclusive: true }), 'listening')
    server.close()
    await once(server, 'close')
    return null
  } catch (error) {
    return error
  }
}

/** Whether what listens there answers as an ackd does. */
async function isAckd(host: string, port: number): Promise<boolean> {
  const here = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  try {
    const answer = await fetch(`http://${here}:${port}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS) })
    const health: unknown = await answer.json()
    return typeof health === 'object' && health !== null && 'ok' in health && health.ok === true
  } catch {
    return false
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
