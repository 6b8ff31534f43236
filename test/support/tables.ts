/**
 * What `tidy.test.ts` holds the code to: who may import whom, who may know a package, what is tested where. Every exception has its reason.
 */
/** What a folder may import besides itself, as beginnings of paths. `server.ts` and `index.ts` put things together and may import all. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  'protocol/': [],
  'core/': ['protocol/'],
  'store/': ['protocol/'],
  'transport/': ['protocol/'],
  'gateway/': [
    ...['core/', 'protocol/', 'transport/transport.ts', 'version.ts'],
    ...['store/store.ts', 'store/account-store.ts', 'store/room-store.ts', 'store/neighbours.ts'],
  ],
  'client/': ['protocol/'],
  'conformance/': ['protocol/'],
  'cli/': ['index.ts', 'option', 'version.ts', 'client/index.node.ts'],
  'web/': ['client/index.ts', 'client/connector.ts'],
  'options.ts': ['option-kinds.ts', 'protocol/limits.ts', 'store/store.ts'],
  'option-kinds.ts': [],
  'option-changes.ts': ['option-kinds.ts', 'option-sources.ts', 'options.ts'],
  'option-sources.ts': ['option-kinds.ts', 'options.ts'],
  'version.ts': [],
  'server.ts': [''],
  'signals.ts': ['options.ts', 'server.ts'],
  'index.ts': [''],
}

/** Imports beyond the table. */
export const importExceptions: Readonly<Record<string, { readonly may: readonly string[]; readonly because: string }>> =
  {
    'cli/admin.ts': {
      may: ['client/troubles.node.ts'],
      because: 'says of a server that it cannot reach what a client would',
    },
    'cli/conformance.ts': {
      may: ['client/sockets.node.ts', 'conformance/suite.ts'],
      because: 'says what no client library would, over the same sockets',
    },
    'cli/doctor-certificate.ts': {
      may: ['transport/certificates.ts', 'transport/transport.ts'],
      because: 'reads the certificate that a server would read',
    },
    'cli/doctor-data.ts': {
      may: ['store/lmdb/directory.ts', 'store/lmdb/lock.ts', 'store/lmdb/reader.ts', 'store/store.ts'],
      because: 'looks at the files of a server that may not be running',
    },
    'cli/doctor-machine.ts': {
      may: ['transport/websocket.ts'],
      because: 'loads it to see whether it loads, and takes nothing of it',
    },
    'cli/doctor-ports.ts': {
      may: ['transport/ports.ts'],
      because: 'tries the ports that a server would take',
    },
    'cli/doctor-redis.ts': {
      may: ['store/redis/look.ts', 'store/store.ts'],
      because: 'judges a Redis as a server does that is not there to be asked',
    },
    'cli/doctor-security.ts': {
      may: ['gateway/jwks.ts', 'gateway/secrets.ts'],
      because: 'reads the secrets and fetches the keys that a server would',
    },
    'cli/names.ts': {
      may: ['protocol/limits.ts', 'protocol/names.ts'],
      because: 'refuses, before it connects, what no server would take',
    },
    'cli/token.ts': {
      may: ['gateway/secrets.ts', 'gateway/tokens.ts'],
      because: 'makes and checks tokens by the rules of a server that is not asked',
    },
    'options.ts': {
      may: ['store/redis/address.ts'],
      because: 'takes for the address of a Redis what the store takes for one',
    },
    'web/page/archive.ts': {
      may: ['client/browser/indexed-db.ts'],
      because: 'keeps conversations in a database of its own, by the same means',
    },
    'web/page/log-archive.ts': {
      may: ['client/browser/indexed-db.ts'],
      because: 'keeps the ends of logs in a database of its own, by the same means',
    },
    'web/page/network.ts': {
      may: ['client/sockets.ts'],
      because: 'stands between the library and its sockets, to cut them',
    },
    'cli/mailbox.ts': {
      may: ['store/lmdb/reader.ts', 'store/redis.ts', 'store/store.ts', 'protocol/'],
      because: 'reads the store of a server that may not be running, so there is nobody to ask',
    },
  }

/** Packages, and the only files or folders that may know them, as beginnings of paths. */
export const drivers: Readonly<Record<string, readonly string[]>> = {
  'uWebSockets.js': ['transport/http.ts', 'transport/websocket.ts'],
  lmdb: ['store/lmdb/environment.ts'],
  ioredis: ['store/redis/link.ts', 'store/redis/listener.ts'],
  ws: ['client/sockets.node.ts'],
  '@node-rs/argon2': ['gateway/passwords.ts'],
  pino: ['gateway/log.ts'],
  'prom-client': ['gateway/metrics.ts'],
  zod: [
    'gateway/api/accounts.ts',
    'gateway/api/clients.ts',
    'gateway/api/documents.ts',
    'gateway/api/figures.ts',
    'gateway/api/messages.ts',
    'gateway/api/nodes.ts',
    'gateway/api/revocations.ts',
    'gateway/api/rooms.ts',
    'gateway/api/route.ts',
    'gateway/api/shapes.ts',
    'gateway/api/trace.ts',
    'gateway/api/frame-forms.ts',
    'gateway/api/openapi.ts',
  ],
  commander: ['cli/program.ts', 'cli/program-flags.ts', 'cli/program-operator.ts'],
  jose: ['gateway/jwks.ts', 'gateway/tokens.ts'],
  esbuild: ['web/build.ts'],
  vite: ['web/build.ts'],
  preact: ['web/page/', 'web/console/'],
  'preact/hooks': ['web/page/', 'web/console/'],
  react: ['client/react.ts'],
  nanoid: ['gateway/fresh.ts', 'gateway/greeting.ts', 'gateway/posting.ts', 'gateway/tokens.ts', 'server.ts'],
}

/** Implementations that share a folder and must not know each other, by the paths of their files. */
export const strangers: readonly (readonly RegExp[])[] = [
  [/^store\/memory/, /^store\/lmdb/, /^store\/redis/],
  [/^transport\/memory/, /^transport\/websocket/, /^transport\/(stream|tcp|tls)/],
]

/** Files that have no test file of their own: where they are tested instead, and why. */
export const testedElsewhere: readonly { readonly files: RegExp; readonly by: string; readonly because: string }[] = [
  {
    files:
      /^(store\/(store|room-store|account-store|once-store|neighbours)|transport\/transport|core\/(effects|room-effects|member))\.ts$/,
    by: 'tidy.test.ts',
    because: 'types only',
  },
  {
    files: /^(protocol\/(errors|limits|mailbox|rooms|rolls|frame-writer))\.ts$/,
    by: 'tidy.test.ts',
    because: 'tables and types',
  },
  {
    files: /^core\/(access|answers|company)\.ts$/,
    by: 'core/rooms.test.ts',
    because: 'parts of a room, by what it says',
  },
  {
    files: /^protocol\/(binary-codec|binary-writer|text-writer|encode|put|dialect)\.ts$/,
    by: 'protocol/frames.test.ts',
    because: 'the two encoders, by the golden bytes of every frame',
  },
  { files: /^core\/origin\.ts$/, by: 'core/downstream.test.ts', because: 'the names of a stream' },
  { files: /^core\/acks\.ts$/, by: 'core/receiving.test.ts', because: 'they come to a session' },
  {
    files: /^core\/(publishing|strangers)\.ts$/,
    by: 'core/rooms.test.ts',
    because: 'the ways into a room, tried with it',
  },
  { files: /^protocol\/read-value\.ts$/, by: 'protocol/values.test.ts', because: 'the reading half of values' },
  { files: /^store\/lmdb\/.*\.ts$/, by: 'store/lmdb.test.ts', because: 'the parts of one store, by its contract' },
  {
    files: /^store\/redis\/(?!address|settings).*\.ts$/,
    by: 'store/redis.test.ts',
    because: 'the parts of one store, by its contract over a real Redis',
  },
  { files: /^transport\/http\.ts$/, by: 'transport/websocket.test.ts', because: 'it speaks on the same port' },
  {
    files: /^transport\/(tcp|tls|certificates|development)\.ts$/,
    by: 'transport/stream.test.ts',
    because: 'tried over real sockets, with the streams that they carry',
  },
  {
    files: /^store\/(memory\/(tables|rooms|once)|ownership|streams)\.ts$/,
    by: 'store/memory.test.ts',
    because: 'what the stores share, by the contract of each',
  },
  { files: /^gateway\/gateway\.ts$/, by: 'gateway/connection.test.ts', because: 'it only puts connections together' },
  {
    files: /^gateway\/api\/.*\.ts$/,
    by: 'gateway/api.test.ts',
    because: 'operations are tried over real HTTP, on a real server',
  },
  {
    files: /^gateway\/(?!api|connection|effects|http|gateway).*\.ts$/,
    by: 'gateway/parts.test.ts',
    because: 'small parts, a few lines of test each',
  },
  {
    files: /^client\/(?!client|inbox|outbox|directory|journal).*\.ts$/,
    by: 'client/parts.test.ts',
    because: 'small parts, a few lines of test each, and the whole of them in client.test.ts',
  },
  {
    files: /^conformance\/.*\.ts$/,
    by: 'conformance/suite.slow.test.ts',
    because: 'checks are tried on a server that keeps them, and on two that break them',
  },
  { files: /^cli\/.*\.ts$/, by: 'cli/commands.test.ts', because: 'commands are tried as processes' },
  {
    files: /^option-(kinds|sources)\.ts$/,
    by: 'options.test.ts',
    because: 'a table is nothing without its kinds and sources',
  },
  {
    files: /^web\/(page|worker)\/.*\.tsx?$/,
    by: 'browser/page.test.ts',
    because: 'a page is tried in a browser; what of it needs none has tests of its own',
  },
  {
    files: /^web\/console\/.*\.tsx?$/,
    by: 'browser/console.test.ts',
    because: 'a page is tried in a browser; what of it needs none has tests in web/console',
  },
  { files: /^web\/build\.ts$/, by: 'gateway/pages.test.ts', because: 'what it writes is read there' },
  { files: /^(server|signals|index|version)\.ts$/, by: 'server.slow.test.ts', because: 'a whole server' },
]

/** Files that refer to each other in a circle, by type only. */
export const circles: readonly { readonly of: readonly string[]; readonly because: string }[] = [
  {
    of: [
      ...['core/access.ts', 'core/acks.ts', 'core/answers.ts', 'core/company.ts', 'core/custody.ts'],
      ...['core/downstream.ts', 'core/drain.ts', 'core/effects.ts'],
      ...['core/hub.ts', 'core/lanes.ts', 'core/member.ts', 'core/message.ts'],
      ...['core/news.ts', 'core/parking.ts', 'core/publishing.ts', 'core/receiving.ts', 'core/room-effects.ts'],
      ...['core/room.ts', 'core/rooms.ts', 'core/sending.ts', 'core/session.ts'],
      ...['core/strangers.ts', 'core/upstream.ts', 'core/window.ts'],
    ],
    because: 'the hub owns its parts, and each part is given the hub: what they say to each other is calls both ways',
  },
  {
    of: ['gateway/connection.ts', 'gateway/surroundings.ts'],
    because: 'connections know what stands around them, which is told of each of them',
  },
]
