/** The MQTT broker aedes, with its sessions and messages in Redis: `node aedes.js PORT` (of Redis) prints the port that it listens on. */
import { createServer } from 'node:net'
import process from 'node:process'
import { Aedes } from 'aedes'
import redisPersistence from 'aedes-persistence-redis'

const persistence = redisPersistence({ host: '127.0.0.1', port: Number(process.argv[2]) })
const broker = await Aedes.createBroker({ persistence })
const server = createServer({ noDelay: true }, broker.handle)

server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`)
})

process.once('SIGTERM', () => process.exit(0))
