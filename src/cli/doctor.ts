/**
 * `ackd doctor`: looks, before a server starts or beside it, whether it has what it needs, and says the fix where it has not.
 *
 * It reads the flags and the environment of `serve`, so that what is judged is what would run. Nothing is changed by it. What could
 * be better is marked `!` and no failure; what keeps a server from starting, or from its promise, is marked `✗`.
 */
import { readFileSync } from 'node:fs'
import { OptionError, readOptions } from '../option-sources.ts'
import type { Options } from '../options.ts'
import type { Context } from './context.ts'
import { checkCertificate } from './doctor-certificate.ts'
import { checkDirectory, checkEmbedded } from './doctor-data.ts'
import { checkBinary, checkGlibc, checkNode, checkOpenFiles, readMachine } from './doctor-machine.ts'
import { checkPorts } from './doctor-ports.ts'
import { checkRedis } from './doctor-redis.ts'
import { checkSecurity } from './doctor-security.ts'
import { Failure, failureOf } from './failure.ts'
import { bad, good, warning, type Finding } from './finding.ts'
import { harmless, type Terminal } from './terminal.ts'

export async function doctor(flags: Readonly<Record<string, string>>, json: boolean, context: Context): Promise<void> {
  const { terminal, environment } = context
  let count = 0
  let failed = 0
  const show = async (findings: readonly Finding[]): Promise<void> => {
    for (const finding of findings) {
      count++
      if (finding.level === 'bad') failed++
      for (const line of json ? [JSON.stringify(finding)] : linesOf(finding, terminal)) await terminal.data(line)
    }
  }
  await show(await checkMachine())
  const options = await readAll(flags, environment, show)
  if (options !== null) for (const check of checksOf(options)) await show(await check())
  if (failed > 0) throw new Failure('failed', `${failed} of ${count} checks failed`, 'mend what is marked with ✗')
}

async function checkMachine(): Promise<readonly Finding[]> {
  const machine = readMachine()
  const { node } = process.versions
  return [checkNode(node, readEngines()), checkGlibc(machine, node), await checkBinary(), checkOpenFiles(machine)]
}

/** Null when they cannot be read: then there is nothing that the other checks could go by. */
async function readAll(
  flags: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
  show: (findings: readonly Finding[]) => Promise<void>,
): Promise<Options | null> {
  try {
    const options = readOptions({ flags, environment })
    await show([good('the options are known and within their ranges')])
    return options
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const { message, fix } = failureOf('failed', error.message, 'See what can be set: ackd options')
    await show([bad(message, `${fix} The other checks wait for that.`)])
    return null
  }
}

type Check = () => Promise<readonly Finding[]> | readonly Finding[]

function checksOf(options: Options): readonly Check[] {
  const { store, dataDir, redisUrl } = options
  const ports: readonly Check[] = [
    () => checkPorts(options),
    () => [checkCertificate(options)],
    () => checkSecurity(options),
  ]
  if (store === 'memory') {
    const memory = warning('Everything is kept in memory and ends with the server.', 'Use the store lmdb, or a Redis.')
    return [...ports, () => [memory]]
  }
  if (redisUrl !== '') return [...ports, () => checkDirectory(dataDir), () => checkRedis(redisUrl, options.redisCa)]
  return [...ports, () => checkDirectory(dataDir), async () => [await checkEmbedded(dataDir)]]
}

function linesOf({ level, what, fix }: Finding, terminal: Terminal): string[] {
  const mark = {
    good: terminal.paint('green', '✓'),
    warning: terminal.paint('yellow', '!'),
    bad: terminal.paint('red', '✗'),
  }[level]
  const line = `${mark} ${harmless(what)}`
  return fix === null ? [line] : [line, `    ${terminal.paint('dim', 'fix:')} ${harmless(fix)}`]
}

/** The range of versions of Node in the description of the package. */
function readEngines(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const engines =
    typeof description === 'object' && description !== null && 'engines' in description && description.engines
  return typeof engines === 'object' && engines !== null && 'node' in engines ? String(engines.node) : '>=20'
}
