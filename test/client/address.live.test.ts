/**
 * A client of one directory that gets another address. Whoever sends to it begins anew there, so what was read at the old one must not be
 * taken for what was read at the new one, whatever is killed when.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect, type Client, type NodeOptions } from '../../src/client/index.node.ts'
import { startServer, type Server } from '../../src/server.ts'
import { secret, tokenOf } from '../support/issuer.ts'

/** Is killed when its new address is on the disk, and nothing else that follows from it. */
const killedAtItsNewAddress = `
  import { directoryKeeper } from './src/client/directory.node.ts'
  import { connect } from './src/client/index.node.ts'
  const [url, dir] = process.argv.slice(1)
  const keeper = directoryKeeper(dir)
  const { save } = keeper.identity
  keeper.identity.save = identity => {
    save(identity)
    process.kill(process.pid, 'SIGKILL')
  }
  connect(url, { keeper }).on('message', () => {})
`

let directory: string
const clients: Client[] = []
const servers: Server[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ackd-address-'))
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close({ flushMs: 0 })))
  await Promise.all(servers.splice(0).map(server => server.close()))
  rmSync(directory, { recursive: true })
})

/** A server that knows nobody, but believes tokens. */
async function start(): Promise<Server> {
  const auth = { auth: 'both', jwtSecret: secret } as const
  const server = await startServer({
    port: 0,
    store: 'memory',
    tcpPort: 'off',
    tlsPort: 'off',
    logLevel: 'silent',
    ...auth,
  })
  servers.push(server)
  return server
}

function enter({ ws }: Server, options: NodeOptions): Client {
  const client = connect(ws, options)
  clients.push(client)
  return client
}

/** Reads what Ann sends to whoever has the directory, who is there only for that. */
async function readFromAnn(server: Server, texts: readonly string[], reader: NodeOptions): Promise<unknown[]> {
  const ann = enter(server, { dir: join(directory, 'ann'), token: tokenOf({ sub: 'ann' }) })
  const client = enter(server, { dir: join(directory, 'reader'), ...reader })
  const shown: unknown[] = []
  client.on('message', ({ body }) => void shown.push(body))
  const id = await client.ready()
  for (const text of texts) expect(await (await ann.send(id, text)).delivered).toBe('delivered')
  await ann.close()
  await client.close()
  return shown
}

test('shows what comes to the address of another token, which is not new to the server', async () => {
  const server = await start()
  const cat = tokenOf({ sub: 'cat' })
  await enter(server, { token: cat }).ready()
  await readFromAnn(server, ['one', 'two'], { token: tokenOf({ sub: 'bob' }) })
  expect(await readFromAnn(server, ['three'], { token: cat })).toEqual(['three'])
})

test('shows what comes to a new address after it was killed as soon as it had that', async () => {
  await readFromAnn(await start(), ['one', 'two'], {})
  const server = await start()
  const args = [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    killedAtItsNewAddress,
    server.ws,
    join(directory, 'reader'),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  expect(await readFromAnn(server, ['three'], {})).toEqual(['three'])
})
