/** Two clients, a message, its receipt. */
import { connect } from 'ackd/client'

const url = process.env['ACKD_URL'] ?? 'ws://127.0.0.1:5000/ws'
const alice = connect(url)
const bob = connect(url)

// A client comes back for ever; while it waits, it says why.
alice.on('status', status => {
  if (status.state === 'waiting') console.error(status.text)
})

bob.on('message', ({ from, body }) => {
  console.log(`bob got ${JSON.stringify(body)} from ${from === alice.id ? 'alice' : 'a stranger'}`)
})

const [, bobsAddress] = await Promise.all([alice.ready(), bob.ready()])
const sent = await alice.send(bobsAddress, { text: 'hello' })
const end = await sent.delivered
console.log(`alice knows that it was ${end}`)

await Promise.all([alice.close(), bob.close()])
