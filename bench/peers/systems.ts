/**
 * The systems that are measured side by side: how each is started, how its clients speak, and what its receipt is worth.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { webSocketAt, wires, type Wire } from '../pipe.ts'
import { lifted, main } from '../server.ts'
import { AckdParty } from './party-ackd.ts'
import { MqttParty, mqttOverTcp, mqttOverWebSocket } from './party-mqtt.ts'
import { NatsParty, nats } from './party-nats.ts'
import { RelayParty } from './party-relay.ts'
import { SocketIoParty, socketIo } from './party-socketio.ts'
import type { Connect } from './party.ts'
import { Service, freePort, type Program } from './service.ts'

export interface System {
  readonly name: string
  /** What a sender knows once it has the receipt. */
  readonly receipt: string
  readonly start: () => Promise<Service>
  readonly connect: Connect
  readonly measured: readonly Kind[]
}

/**
 * Pairs that write to each other as fast as it goes, and at a fixed rate; connections that do nothing; one that speaks to a thousand;
 * messages that wait for who is away.
 */
export type Kind = 'loop' | 'rate' | 'idle' | 'room' | 'park'

function script(name: string, ...args: readonly string[]): Program {
  const path = fileURLToPath(new URL(`servers/${name}.js`, import.meta.url))
  return { command: process.execPath, args: [path, ...args], port: null }
}

function serverScript(name: string, ...args: readonly string[]): () => Promise<Service> {
  return () => Service.start(() => [script(name, ...args)])
}

function ackdProgram(folder: string, more: Readonly<Record<string, string>> = {}): Program {
  const env = {
    ...lifted,
    ACKD_LOG_LEVEL: 'error',
    ACKD_TCP_PORT: '0',
    ACKD_TLS_PORT: 'off',
    ACKD_DATA_DIR: `${folder}/data`,
    ...more,
  }
  return { command: process.execPath, args: [main, 'serve'], env, port: null }
}

const startAckd = (): Promise<Service> => Service.start(folder => [ackdProgram(folder)])

function redis(folder: string, port: number): Program {
  const settings = { port, bind: '127.0.0.1', dir: folder, appendonly: 'yes', appendfsync: 'everysec', save: '' }
  return { command: 'redis-server', args: Object.entries(settings).flatMap(([k, v]) => [`--${k}`, String(v)]), port }
}

async function startAckdOnRedis(): Promise<Service> {
  const port = await freePort()
  return Service.start(folder => [
    redis(folder, port),
    ackdProgram(folder, { ACKD_REDIS_URL: `redis://127.0.0.1:${port}` }),
  ])
}

function startMosquitto(protocol: 'mqtt' | 'websockets'): () => Promise<Service> {
  return async () => {
    const port = await freePort()
    // It does not start with a listener for WebSockets alone.
    const other = protocol === 'websockets' ? [`listener ${await freePort()} 127.0.0.1`] : []
    return Service.start(folder => {
      const file = `${folder}/mosquitto.conf`
      const lines = [
        ...other,
        `listener ${port} 127.0.0.1`,
        `protocol ${protocol}`,
        'allow_anonymous true',
        'set_tcp_nodelay true',
        'max_inflight_messages 0',
        'max_queued_messages 0',
        'log_type error',
      ]
      writeFileSync(file, `${lines.join('\n')}\n`)
      return [{ command: 'mosquitto', args: ['-c', file], port }]
    })
  }
}

function startNats(...args: readonly string[]): () => Promise<Service> {
  return async () => {
    const port = await freePort()
    return Service.start(folder => {
      const settings = ['-a', '127.0.0.1', '-p', String(port), '-sd', folder, '-l', `${folder}/log`]
      return [{ command: 'nats-server', args: [...settings, ...args], port }]
    })
  }
}

async function startAedes(): Promise<Service> {
  const port = await freePort()
  return Service.start(folder => [redis(folder, port), script('aedes', String(port))])
}

function mqtt(wire: Wire, fromRecipient: boolean): Connect {
  return (service, guest) => MqttParty.open({ wire, port: service.port }, guest, fromRecipient)
}

function ackd(transport: 'ws' | 'tcp'): Connect {
  return (service, guest) =>
    AckdParty.open({ wire: wires[transport], port: Number(new URL(service.said(transport)).port) }, guest)
}

function relay(wire: Wire): Connect {
  return (service, guest) => RelayParty.open({ wire, port: service.port }, guest)
}

const relayOverWebSocket = relay(webSocketAt('/', null, false))

export const systems: readonly System[] = [
  {
    name: 'bare uWS relay',
    receipt: 'nothing: no state at all, the ceiling',
    start: serverScript('relay-ws'),
    connect: relayOverWebSocket,
    measured: ['loop', 'rate', 'idle', 'room'],
  },
  {
    name: 'bare uWS relay, corked',
    receipt: 'nothing',
    start: serverScript('relay-ws', 'corked'),
    connect: relayOverWebSocket,
    measured: ['loop'],
  },
  {
    name: 'bare node:net relay',
    receipt: 'nothing',
    start: serverScript('relay-net'),
    connect: relay(wires.tcp),
    measured: ['loop', 'rate', 'idle', 'room'],
  },
  {
    name: 'ackd, WebSocket',
    receipt: 'the recipient has it, or it is durably stored',
    start: startAckd,
    connect: ackd('ws'),
    measured: ['loop', 'rate', 'idle', 'room', 'park'],
  },
  {
    name: 'ackd, TCP',
    receipt: 'the recipient has it, or it is durably stored',
    start: startAckd,
    connect: ackd('tcp'),
    measured: ['loop', 'rate', 'idle', 'room', 'park'],
  },
  {
    name: 'Mosquitto, WebSocket',
    receipt: 'the broker has it in memory',
    start: startMosquitto('websockets'),
    connect: mqtt(mqttOverWebSocket, false),
    measured: ['loop', 'rate', 'idle', 'room'],
  },
  {
    name: 'Mosquitto, TCP',
    receipt: 'the broker has it in memory',
    start: startMosquitto('mqtt'),
    connect: mqtt(mqttOverTcp, false),
    measured: ['loop', 'rate', 'idle', 'room', 'park'],
  },
  {
    name: 'Mosquitto, TCP, receipt from the recipient',
    receipt: 'the recipient has it',
    start: startMosquitto('mqtt'),
    connect: mqtt(mqttOverTcp, true),
    measured: ['loop', 'rate'],
  },
  {
    name: 'NATS core, request and reply',
    receipt: 'the recipient has it; what is lost is lost',
    start: startNats(),
    connect: (service, guest) => NatsParty.open({ wire: nats, port: service.port }, guest, false),
    measured: ['loop', 'rate', 'idle', 'room'],
  },
  {
    name: 'NATS JetStream, file',
    receipt: 'the stream has it, not synced',
    start: startNats('-js'),
    connect: (service, guest) => NatsParty.open({ wire: nats, port: service.port }, guest, true),
    // Its connections are those of the one above.
    measured: ['loop', 'rate', 'park'],
  },
  {
    name: 'Socket.IO on ws',
    receipt: 'the recipient has it; what is lost is lost',
    start: serverScript('socketio'),
    connect: (service, guest) => SocketIoParty.open({ wire: socketIo, port: service.port }, guest),
    measured: ['loop', 'rate', 'idle', 'room'],
  },
  {
    name: 'Socket.IO on uWebSockets.js',
    receipt: 'the recipient has it; what is lost is lost',
    start: serverScript('socketio', 'uws'),
    connect: (service, guest) => SocketIoParty.open({ wire: socketIo, port: service.port }, guest),
    measured: ['loop', 'rate', 'idle', 'room'],
  },
  {
    name: 'aedes with Redis',
    receipt: 'the broker has it in Redis',
    start: startAedes,
    connect: mqtt(mqttOverTcp, false),
    measured: ['loop', 'rate', 'idle', 'room', 'park'],
  },
  {
    name: 'ackd on Redis, WebSocket',
    receipt: 'the recipient has it, or it is durably stored',
    start: startAckdOnRedis,
    connect: ackd('ws'),
    measured: ['park'],
  },
]
