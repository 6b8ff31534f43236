/**
 * Everything that can be set, as one table: flag, environment variable, key in a file, unit, range, default and help come from it.
 *
 * A key names the option everywhere: `ackTimeout` is `--ack-timeout`, `ACKD_ACK_TIMEOUT` and `"ackTimeout"` in a JSON file. How values
 * are read is in `option-kinds.ts`, and where they come from in `option-sources.ts`.
 */
import {
  choice,
  count,
  DAY,
  duration,
  file,
  KiB,
  MiB,
  MINUTE,
  networks,
  optional,
  origins,
  portIfAsked,
  SECOND,
  secret,
  signingSecret,
  size,
  streamPort,
  text,
  type Option,
  webAddress,
} from './option-kinds.ts'
import { DEFAULT_MAX_PACKET, DEFAULT_WINDOW, MAX_BEFORE_WELCOME, MAX_WINDOW } from './protocol/limits.ts'
import { parseRedisAddress } from './store/redis/address.ts'
import { defaultStoreLimits } from './store/store.ts'

const { mailboxMessages, mailboxBytes, messageLifeMs, idLifeMs, replacementsPerMinute, headAttempts, rooms } =
  defaultStoreLimits

/** Characters, at least: nobody guesses so many random ones, whatever their alphabet. */
const ADMIN_TOKEN_LENGTH = 32

/** Each costs a millisecond, and nobody has proved anything. */
const DEFAULT_HANDSHAKES = 512
/** Keep-alive is by frames. */
const DEFAULT_CONTROL_FRAMES = 1_000

/** The table. Durations are ms and sizes bytes once they are read. */
export const optionTable = {
  host: text('127.0.0.1', 'an address of this machine', 'Where to listen; 0.0.0.0 for every interface.'),
  port: count({ default: 5000, min: 0, max: 65_535, help: 'Port of HTTP and WebSocket; 0 for any free one.' }),
  wssPort: portIfAsked('5001', 'HTTP and WebSocket over TLS'),
  tcpPort: streamPort(2500, 'TCP'),
  tlsPort: streamPort(2501, 'TLS'),
  tlsCert: file('Certificate of the TLS ports and its chain, as PEM; without one a development certificate is made.'),
  tlsKey: file('Private key of the TLS ports, as PEM without a passphrase.'),
  tlsClientCa: file(
    'Whose certificates clients of the port of TLS must show, as PEM; the common name in one is the client id.',
  ),
  store: choice('lmdb', ['lmdb', 'memory'], 'Where messages are kept; nothing in memory survives the process.'),
  dataDir: text('./data', 'a directory', 'Where the embedded store keeps its files.'),
  redisUrl: {
    default: '',
    shown: 'none',
    range: 'none, redis://host, rediss://host, unix:///path, redis+sentinel://hosts/name or redis+cluster://hosts',
    example: 'redis://127.0.0.1:6379',
    help: 'The Redis that keeps everything, instead of the embedded store.',
    secret: true, // There may be a password in it.
    parse: given => (given === 'none' ? '' : parseRedisAddress(given) === undefined ? undefined : given),
  } satisfies Option<string>,
  redisCa: file('Whose certificates a Redis over TLS may show, as PEM, instead of those that Node knows.'),
  origins: origins('Web pages that may connect; others get 403. Clients that are no browsers are not asked.'),
  trustProxy: networks(
    'Proxies in front of HTTP and WebSocket whose X-Forwarded-For says where a client is; of others it is not looked at.',
  ),
  adminToken: secret(
    ADMIN_TOKEN_LENGTH,
    'Opens the HTTP API under /api to whoever sends it as a bearer token; without one the API answers 403.',
  ),
  auth: choice(
    'anonymous',
    ['anonymous', 'token', 'both'],
    'Who may connect: who has an id and its secret or wants a new one, who has a token, or both.',
  ),
  jwtSecret: signingSecret(
    'What tokens are signed with by HS256; a file may hold several, one a line: the first signs, each may have signed.',
  ),
  jwksUrl: webAddress('Where the public keys of an identity provider are, for tokens by RS256, ES256 and EdDSA.'),
  jwtIssuer: optional(
    'none, or an iss',
    'https://id.example.com',
    'The only issuer whose tokens are taken; none: any.',
  ),
  jwtAudience: optional('none, or an aud', 'chat', 'The audience that tokens must name; none: any.'),
  jwtLeeway: duration({
    default: 30 * SECOND,
    min: 0,
    max: 10 * MINUTE,
    help: 'How far the clock of an issuer may be off: a token is good for so much longer.',
  }),
  tokenLife: duration({
    default: 60 * MINUTE,
    min: 10 * SECOND,
    max: 30 * DAY,
    help: 'How long a token is good that this server gives to who logs in.',
  }),
  accounts: choice('off', ['off', 'on'], 'Whether people may register and log in over HTTP, with a password.'),
  console: choice(
    'on',
    ['on', 'off'],
    "Whether the operator's page is at /console; it does nothing without the admin token.",
  ),
  unknownRecipients: choice(
    'reject',
    ['reject', 'park'],
    'What becomes of a message to an id that never connected: park keeps it for the sub of a token to come.',
  ),
  auditLog: text('off', 'off, stderr or a file', 'Where security events are written, as JSON lines.'),
  logLevel: choice('info', ['fatal', 'error', 'warn', 'info', 'debug', 'silent'], 'How much is logged, on stderr.'),
  ackTimeout: duration({
    default: 30 * SECOND,
    min: SECOND,
    max: 10 * MINUTE,
    help: 'How long a message may stay un-acked before its recipient is suspect and it is parked.',
  }),
  maxPacket: size({
    default: DEFAULT_MAX_PACKET,
    min: MAX_BEFORE_WELCOME,
    max: 2 * MiB, // In the other encoding it can be seven times as large, and no packet may reach 16 MiB.
    help: 'Largest packet; a larger one closes its connection with too_large.',
  }),
  sendWindow: count({
    default: 64,
    min: 1,
    max: 65_536,
    help: 'Unsettled sends of one connection; more are handed back with window_exceeded.',
  }),
  sendWindowBytes: size({
    default: 256 * KiB,
    min: KiB,
    max: 256 * MiB,
    help: 'Bytes of unsettled sends of one connection; one message of any size may go when nothing else is open.',
  }),
  window: count({
    default: DEFAULT_WINDOW,
    min: 1,
    max: MAX_WINDOW,
    help: 'Un-acked messages of one session; the rest waits in the mailbox.',
  }),
  windowBytes: size({ default: MiB, min: KiB, max: 256 * MiB, help: 'Bytes of un-acked messages of one session.' }),
  mailboxMessages: count({
    default: mailboxMessages,
    min: 1,
    max: 10_000_000,
    help: 'Messages in one mailbox; more fail with mailbox_full, nothing old is dropped.',
  }),
  mailboxBytes: size({
    default: mailboxBytes,
    min: KiB,
    max: 64 * 1024 * MiB,
    help: 'Bytes of messages in one mailbox.',
  }),
  messageLife: duration({
    default: messageLifeMs,
    min: SECOND,
    max: 3650 * DAY,
    help: 'How long a message waits in a mailbox before its sender is told expired.',
  }),
  idLife: duration({
    default: idLifeMs,
    min: MINUTE,
    max: 3650 * DAY,
    help: 'How long a client id may stay unused before it lapses with its mailbox.',
  }),
  trace: count({
    default: 0, // Each of the three steps of a live message costs 15 ns then, and two without.
    min: 0,
    max: 10_000_000,
    example: '100000',
    help: 'Steps of messages that are remembered, to be asked for with ackd trace; 0: none, and only the store is asked.',
  }),
  heldBytes: size({
    default: 64 * MiB,
    min: MiB,
    max: 64 * 1024 * MiB,
    help: 'Bytes this node holds without an end, 1 KiB for each message besides its body; more is handed back with overloaded.',
  }),
  unreadBytes: size({
    default: 256 * MiB,
    min: MiB,
    max: 64 * 1024 * MiB,
    help: 'Bytes that all clients together may leave unread; beyond it those who leave more than their share are cut off.',
  }),
  frameRate: count({
    default: 1_000,
    min: 10,
    max: 10_000_000,
    help: 'Frames of one connection in a second, twice as many in a burst; more are handed back with rate_limited.',
  }),
  rememberedStreams: count({
    default: 100_000,
    min: 1,
    max: 100_000_000,
    help: 'Ends of streams that this node remembers, some 250 bytes each; beyond it the longest idle are looked up in the store when they go on.',
  }),
  newRecipientsRate: count({
    default: 200,
    min: 1,
    max: 10_000_000,
    help: 'New recipients of one sender in a minute; more are handed back with rate_limited.',
  }),
  httpRate: count({
    default: 100,
    min: 1,
    max: 10_000_000,
    help: 'HTTP requests of one network address in a second, twice as many in a burst; more are answered 429. With the admin token there is no limit.',
  }),
  roomsPerConnection: count({
    default: 128,
    min: 1,
    max: 10_000,
    help: 'Rooms that one connection may be in; joining more is refused with forbidden.',
  }),
  rooms: count({
    default: rooms.rooms,
    min: 1,
    max: 1_000_000,
    help: 'Rooms in all, the lobby too; clients who make more are refused with forbidden.',
  }),
  roomsPerOwner: count({
    default: rooms.owned,
    min: 1,
    max: 10_000,
    help: 'Rooms that one client may own; making more is refused with forbidden.',
  }),
  roomMessages: count({
    default: rooms.messages,
    min: 1,
    max: 1_000_000,
    help: 'Messages that a room keeps, unless its maker wanted fewer; the oldest leave.',
  }),
  roomLife: duration({
    default: rooms.lifeMs,
    min: SECOND,
    max: 3650 * DAY,
    help: 'How long a room keeps a message.',
  }),
  roomMakingRate: count({
    default: 20,
    min: 1,
    max: 1_000_000,
    help: 'Rooms that one client may make in a minute, ten times as many from one network address; more are refused with rate_limited.',
  }),
  roomPasswordRate: count({
    default: 10,
    min: 1,
    max: 1_000_000,
    help: 'Wrong passwords of rooms from one client in a minute, three times as many from one network address; then all are refused with rate_limited.',
  }),
  loginRate: count({
    default: 5,
    min: 1,
    max: 1_000_000,
    help: 'Failed logins at one account from one network address in a minute, six times as many from there at all, and ten times in 15 min at one account from anywhere; then 429.',
  }),
  registrationRate: count({
    default: 20,
    min: 1,
    max: 1_000_000,
    help: 'Accounts that may be registered from one network address in an hour; then 429.',
  }),
  connectionsPerAddress: count({
    default: 1_000,
    min: 1,
    max: 10_000_000,
    help: 'Connections from one network address; more are closed with overloaded.',
  }),
  connectRate: count({
    default: 500,
    min: 1,
    max: 10_000_000,
    help: 'New connections in a second; more are closed with overloaded and told when to come back.',
  }),
  maxLag: duration({
    default: 100,
    min: 10,
    max: MINUTE,
    help: 'How late the event loop may be (99th percentile of 5 s) before new connections are closed with overloaded.',
  }),
  overloadLag: duration({
    default: 500,
    min: 10,
    max: MINUTE,
    help: 'How late the event loop may be, likewise, before messages are handed back to their senders with overloaded.',
  }),
  replacementRate: count({
    default: replacementsPerMinute,
    min: 1,
    max: 10_000_000,
    help: 'Times in a minute that another outbox may take over a connected id; the next one is closed with flood.',
  }),
  deadAfter: count({
    default: headAttempts,
    min: 1,
    max: 1_000,
    help: 'Sessions in a row that may fail at the oldest message of a mailbox before it becomes a dead letter.',
  }),
  helloTimeout: duration({
    default: 5 * SECOND,
    min: 100,
    max: MINUTE,
    help: 'How long a new connection may take to say hello before it is closed with timeout.',
  }),
  handshakeTimeout: duration({
    default: 10 * SECOND,
    min: 100,
    max: MINUTE,
    help: 'How long the TLS handshake of a new connection may take before it is cut off.',
  }),
  handshakes: count({
    default: DEFAULT_HANDSHAKES,
    min: 1,
    max: 100_000,
    help: 'TLS handshakes of the port of TLS that may be under way; more connections are cut off.',
  }),
  controlFrames: count({
    default: DEFAULT_CONTROL_FRAMES,
    min: 1,
    max: 10_000_000,
    help: 'Pings and pongs of the WebSocket layer that may come between two packets; more close the connection with bad_frame.',
  }),
  // 300 s, since three of it are given to uWebSockets.js, which ends the process above 960 s.
  pingInterval: duration({
    default: 15 * SECOND,
    min: SECOND,
    max: 300 * SECOND,
    help: 'How often a silent connection is pinged; nothing heard for two of it closes it with timeout.',
  }),
  idleTimeout: duration({
    default: 0,
    min: 0,
    max: DAY,
    example: '10m',
    help: 'How long a connection may send nothing but keep-alive before it is closed with idle; 0: for ever.',
  }),
} as const satisfies Record<string, Option<unknown>>

type Table = typeof optionTable
export type OptionName = keyof Table
export type Options = { readonly [Name in OptionName]: Table[Name] extends Option<infer Value> ? Value : never }

/** `ackTimeout` is `ACKD_ACK_TIMEOUT` in the environment. */
export function environmentName(name: string): string {
  return `ACKD_${name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`
}

/** `ackTimeout` is `--ack-timeout` on the command line. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

/**
 * What SIGHUP can change while the server runs. Everything else holds from start to end: what clients were told in their welcome, where the
 * store or a port was opened, and what the tokens of connections that are there were checked by.
 */
export const reloadableNames = [
  ...['tlsCert', 'tlsKey', 'origins', 'trustProxy', 'adminToken', 'logLevel', 'unknownRecipients'],
  ...['jwtSecret', 'jwtIssuer', 'jwtAudience', 'jwtLeeway', 'tokenLife'],
  ...['heldBytes', 'unreadBytes', 'frameRate', 'newRecipientsRate', 'httpRate', 'roomsPerConnection', 'roomMessages'],
  ...['mailboxMessages', 'mailboxBytes', 'messageLife', 'idLife', 'replacementRate', 'deadAfter'],
  ...['rooms', 'roomsPerOwner', 'roomLife', 'roomMakingRate', 'roomPasswordRate'],
  ...['connectionsPerAddress', 'connectRate', 'maxLag', 'overloadLag', 'helloTimeout', 'idleTimeout'],
] as const satisfies readonly OptionName[]

/** Numbers that bound nothing. */
const noLimits: readonly string[] = ['port', 'jwtLeeway', 'tokenLife', 'trace']

/** The options that are limits. Each is tried at its edge in `test/security/limits.test.ts`. */
export const limitNames: readonly string[] = Object.entries<Option<unknown>>(optionTable).flatMap(([name, option]) =>
  typeof option.default === 'number' && !noLimits.includes(name) ? [name] : [],
)
