/** A message to a recipient who is away is stored; when the recipient is back it comes first, and its sender hears of it. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'ackd/client'

const url = process.env['ACKD_URL'] ?? 'ws://127.0.0.1:5000/ws'
const alice = connect(url)
// With a folder, bob is the same client when he comes back, also in another process.
const home = mkdtempSync(join(tmpdir(), 'bob-'))

const before = connect(url, { dir: home })
const address = await before.ready()
await before.close()

const sent = await alice.send(address, 'are you there?')
console.log(`while bob is away: ${sent.status}`)

const after = connect(url, { dir: home })
after.on('message', ({ body, parked }) => {
  console.log(`bob is back: ${JSON.stringify(body)}${parked ? ', which waited' : ''}`)
})
console.log(`then: ${await sent.delivered}`)

await Promise.all([alice.close(), after.close()])
