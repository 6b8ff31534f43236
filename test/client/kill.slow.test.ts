/** A sender with a directory is killed again and again; what it had handed over arrives, once and in order. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, test } from 'vitest'
import { connect } from '../../src/client/index.node.ts'
import { startServer } from '../../src/server.ts'

const KILLS = 6
const directory = mkdtempSync(join(tmpdir(), 'ackd-kill-'))

const program = `
  import { connect } from './src/client/index.node.ts'
  const [url, to, dir, run] = process.argv.slice(1)
  const client = connect(url, { dir, fsync: false })
  await client.ready()
  for (let k = 0; ; k++) {
    client.send(to, run + ' ' + k).then(() => console.log(run + ' ' + k), () => {})
    if (k % 20 === 19) await new Promise(resolve => setTimeout(resolve, 2))
  }
`

afterAll(() => {
  rmSync(directory, { recursive: true })
})

/** Runs a sender, kills it after so many receipts, and returns the messages that got one. */
async function sendUntilKilled(url: string, to: string, run: number, receipts: number): Promise<string[]> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', program, url, to, join(directory, 'ann'), String(run)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  const receipted: string[] = []
  for await (const line of createInterface(child.stdout)) {
    receipted.push(line)
    if (receipted.length === receipts) child.kill('SIGKILL')
  }
  await gone
  return receipted
}

test('a killed sender loses nothing that was handed over, and repeats nothing', async () => {
  const server = await startServer({ port: 0, dataDir: join(directory, 'data'), logLevel: 'silent' })
  const bob = connect(server.ws)
  const shown: string[] = []
  bob.on('message', ({ body }) => void shown.push(String(body)))
  const id = await bob.ready()
  const receipted: string[] = []
  for (let run = 0; run < KILLS; run++) receipted.push(...(await sendUntilKilled(server.ws, id, run, 100 + 37 * run)))

  const last = connect(server.ws, { dir: join(directory, 'ann') })
  await (
    await last.send(id, 'the end')
  ).delivered
  await last.close()
  await bob.close()
  await server.close()

  expect(shown.at(-1)).toBe('the end')
  expect(receipted.length).toBeGreaterThan(100 * KILLS)
  expect(receipted.filter(message => !shown.includes(message))).toEqual([])
  for (let run = 0; run < KILLS; run++) {
    const mine = shown.filter(message => message.startsWith(`${run} `))
    expect(mine).toEqual(mine.map((_, k) => `${run} ${k}`))
  }
})
