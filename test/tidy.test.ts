/**
 * The form of the code, as far as a machine can judge it: who imports whom, how long things are, what is tested where.
 *
 * Each rule lists what breaks it, so a red test says what to mend. Exceptions stand here, each with its reason, and one that is
 * no longer needed is red as well.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { circlesOf, nodesOf, placeOf, readSources, root, type Import, type Source } from './support/sources.ts'

const sources = readSources('src')
const tests = readSources('test')
const everything = [...sources, ...tests, ...readSources('bench')]

/** What a folder may import besides itself, as beginnings of paths. `server.ts` and `index.ts` put things together and may import all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'protocol/': [],
  'core/': ['protocol/'],
  'store/': ['protocol/'],
  'transport/': ['protocol/'],
  'gateway/': [
    ...['core/', 'protocol/', 'transport/transport.ts'],
    ...['store/store.ts', 'store/account-store.ts', 'store/room-store.ts'],
  ],
  'client/': ['protocol/'],
  'conformance/': ['protocol/'],
  'cli/': ['index.ts', 'option', 'version.ts', 'client/index.node.ts'],
  'options.ts': ['option-kinds.ts', 'protocol/limits.ts', 'store/store.ts'],
  'option-kinds.ts': [],
  'option-sources.ts': ['option-kinds.ts', 'options.ts'],
  'version.ts': [],
  'server.ts': [''],
  'index.ts': [''],
}

/** Imports beyond the table. */
const importExceptions: Readonly<Record<string, { readonly may: readonly string[]; readonly because: string }>> = {
  'cli/conformance.ts': {
    may: ['client/sockets.node.ts', 'conformance/suite.ts'],
    because: 'says what no client library would, over the same sockets',
  },
  'cli/doctor-certificate.ts': {
    may: ['transport/certificates.ts', 'transport/transport.ts'],
    because: 'reads the certificate that a server would read',
  },
  'cli/doctor-data.ts': {
    may: ['store/lmdb-directory.ts', 'store/lmdb-lock.ts', 'store/lmdb-reader.ts', 'store/store.ts'],
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
    may: ['store/redis-look.ts', 'store/store.ts'],
    because: 'judges a Redis as a server does that is not there to be asked',
  },
  'cli/token.ts': {
    may: ['gateway/secrets.ts', 'gateway/tokens.ts'],
    because: 'makes and checks tokens by the rules of a server that is not asked',
  },
  'cli/mailbox.ts': {
    may: ['store/lmdb-reader.ts', 'store/redis.ts', 'store/store.ts', 'protocol/'],
    because: 'reads the store of a server that may not be running, so there is nobody to ask',
  },
}

/** Packages, and the only files that may know them. */
const drivers: Readonly<Record<string, readonly string[]>> = {
  'uWebSockets.js': ['transport/http.ts', 'transport/websocket.ts'],
  lmdb: ['store/lmdb-environment.ts'],
  ioredis: ['store/redis-link.ts'],
  ws: ['client/sockets.node.ts'],
  '@node-rs/argon2': ['gateway/passwords.ts'],
  pino: ['gateway/log.ts'],
  'prom-client': ['gateway/metrics.ts'],
  'rate-limiter-flexible': ['gateway/admin-token.ts', 'gateway/throttle.ts'],
  zod: [
    'gateway/api-accounts.ts',
    'gateway/api-clients.ts',
    'gateway/api-documents.ts',
    'gateway/api-messages.ts',
    'gateway/api-nodes.ts',
    'gateway/api-revocations.ts',
    'gateway/api-rooms.ts',
    'gateway/api-route.ts',
    'gateway/api-shapes.ts',
    'gateway/frame-forms.ts',
    'gateway/openapi.ts',
  ],
  commander: ['cli/program.ts', 'cli/program-operator.ts'],
  jose: ['gateway/jwks.ts', 'gateway/tokens.ts'],
  nanoid: ['gateway/effects.ts', 'gateway/greeting.ts', 'gateway/posting.ts', 'gateway/tokens.ts', 'server.ts'],
}

/** Implementations that share a folder and must not know each other, by the paths of their files. */
const strangers: readonly (readonly RegExp[])[] = [
  [/^store\/memory/, /^store\/lmdb/, /^store\/(redis|scripts|keys)/],
  [/^transport\/memory/, /^transport\/websocket/, /^transport\/(stream|tcp|tls)/],
]

/** Files that have no test file of their own: where they are tested instead, and why. */
const testedElsewhere: readonly { readonly files: RegExp; readonly by: string; readonly because: string }[] = [
  {
    files:
      /^(store\/(store|room-store|account-store|once-store)|transport\/transport|core\/(effects|room-effects|member))\.ts$/,
    by: 'tidy.test.ts',
    because: 'types only',
  },
  {
    files: /^(protocol\/(errors|limits|mailbox|rooms|frame-writer))\.ts$/,
    by: 'tidy.test.ts',
    because: 'tables and types',
  },
  {
    files: /^protocol\/(binary-codec|binary-writer|text-writer|encode|put|dialect)\.ts$/,
    by: 'protocol/frames.test.ts',
    because: 'the two encoders, by the golden bytes of every frame',
  },
  {
    files: /^core\/(publishing|strangers)\.ts$/,
    by: 'core/rooms.test.ts',
    because: 'the ways into a room, tried with it',
  },
  { files: /^protocol\/read-value\.ts$/, by: 'protocol/values.test.ts', because: 'the reading half of values' },
  { files: /^store\/lmdb-.*\.ts$/, by: 'store/lmdb.test.ts', because: 'the parts of one store, by its contract' },
  {
    files: /^store\/(keys|scripts.*|redis-(?!address|settings).*)\.ts$/,
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
    files: /^store\/(memory-tables|memory-rooms|memory-once|ownership|streams)\.ts$/,
    by: 'store/memory.test.ts',
    because: 'what the stores share, by the contract of each',
  },
  { files: /^gateway\/gateway\.ts$/, by: 'gateway/connection.test.ts', because: 'it only puts connections together' },
  {
    files: /^gateway\/(api-.*|asking|admin-token)\.ts$/,
    by: 'gateway/api.test.ts',
    because: 'operations are tried over real HTTP, on a real server',
  },
  {
    files: /^gateway\/(?!api|asking|admin-token|openapi|connection|effects|http|gateway).*\.ts$/,
    by: 'gateway/parts.test.ts',
    because: 'small parts, a few lines of test each',
  },
  {
    files: /^client\/(?!client|inbox|outbox|directory|journal).*\.ts$/,
    by: 'client/parts.test.ts',
    because: 'small parts, a few lines of test each, and the whole of them in client.test.ts',
  },
  { files: /^client\/journal\.node\.ts$/, by: 'client/directory.node.test.ts', because: 'the files of the directory' },
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
  { files: /^(server|index|version)\.ts$/, by: 'server.slow.test.ts', because: 'a whole server' },
]

/** Files that refer to each other in a circle, by type only. */
const circles: readonly { readonly of: readonly string[]; readonly because: string }[] = [
  {
    of: [
      ...['core/custody.ts', 'core/downstream.ts', 'core/drain.ts', 'core/effects.ts'],
      ...['core/hub.ts', 'core/lanes.ts', 'core/member.ts', 'core/message.ts'],
      ...['core/parking.ts', 'core/publishing.ts', 'core/receiving.ts', 'core/room-effects.ts'],
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

const FILE_LINES = 400
const FUNCTION_LINES = 70

function broken(rule: (source: Source) => readonly string[], of: readonly Source[] = sources): readonly string[] {
  return of.flatMap(source => rule(source).map(what => `${source.path}: ${what}`))
}

/** Identifiers of a file that are among `names`, with their places. */
function named(source: Source, names: ReadonlySet<string>): readonly string[] {
  return [...nodesOf(source.tree)]
    .filter(node => ts.isIdentifier(node) && names.has(node.text) && !isMember(node))
    .map(node => `${placeOf(source, node)} names ${node.getText()}`)
}

/** Whether an identifier is the name of a property rather than of something in scope. */
function isMember(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  return ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertySignature(parent)
}

describe('imports', () => {
  const allowed = (path: string): readonly string[] => {
    const own = path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : path
    return [own, ...(mayImport[own] ?? []), ...(importExceptions[path]?.may ?? [])]
  }
  const packages = (source: Source): readonly Import[] =>
    source.imports.filter(({ from, relative }) => !relative && !from.startsWith('node:'))

  test('stay within the table of folders', () => {
    const strays = broken(({ path, imports }) =>
      imports
        .filter(({ relative, from }) => relative && !allowed(path).some(start => from.startsWith(start)))
        .map(({ from }) => from),
    )
    expect(strays).toEqual([])
  })

  test('have an exception only where one is needed', () => {
    const idle = Object.entries(importExceptions).flatMap(([path, { may }]) => {
      const imports = sources.find(source => source.path === path)?.imports ?? []
      return may.filter(start => !imports.some(({ from }) => from.startsWith(start)))
    })
    expect(idle).toEqual([])
  })

  test('of a package are in the files that may know it', () => {
    const strays = broken(source =>
      packages(source)
        .filter(({ from }) => drivers[from]?.includes(source.path) !== true)
        .map(({ from }) => from),
    )
    expect(strays).toEqual([])
  })

  test('of modules of Node are not in what runs in a browser, nor in the core', () => {
    const strays = broken(({ path, imports }) => {
      if (!/^(protocol|core|client)\//.test(path) || path.endsWith('.node.ts')) return []
      return imports.filter(({ from }) => from.startsWith('node:') || from.endsWith('.node.ts')).map(({ from }) => from)
    })
    expect(strays).toEqual([])
  })

  test('do not join implementations of one interface', () => {
    const strays = broken(({ path, imports }) =>
      strangers.flatMap(implementations => {
        const own = implementations.find(files => files.test(path))
        if (own === undefined) return []
        const others = implementations.filter(files => files !== own)
        return imports.filter(({ from }) => others.some(files => files.test(from))).map(({ from }) => from)
      }),
    )
    expect(strays).toEqual([])
  })

  test('name the file, with .ts', () => {
    const strays = broken(({ imports }) =>
      imports.filter(({ relative, from }) => relative && !from.endsWith('.ts')).map(({ from }) => from),
    )
    expect(strays).toEqual([])
  })

  test('make no circle that is there when the program runs', () => {
    expect(circlesOf(sources, ({ typeOnly }) => !typeOnly)).toEqual([])
  })

  test('make no circle by type but those that are listed', () => {
    expect(circlesOf(sources, () => true)).toEqual(circles.map(({ of }) => of))
  })
})

describe('sizes', () => {
  test(`of files are ${FILE_LINES} lines at most`, () => {
    const long = broken(({ lines }) => (lines > FILE_LINES ? [`${lines} lines`] : []), everything)
    expect(long).toEqual([])
  })

  test(`of functions are ${FUNCTION_LINES} lines at most`, () => {
    const long = broken(source =>
      [...nodesOf(source.tree)].flatMap(node => {
        if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return []
        const lines = node.getText().split('\n').length
        return lines > FUNCTION_LINES ? [`${placeOf(source, node)} has ${lines} lines`] : []
      }),
    )
    expect(long).toEqual([])
  })
})

describe('every file', () => {
  test('of the sources opens with a comment that says what it is', () => {
    expect(broken(({ text }) => (/^(#!.*\n)?\/(\*\*|\/)\s*\S/.test(text) ? [] : ['no comment']))).toEqual([])
  })

  test('is called by what it is about', () => {
    const banned = /(^|[-.])(utils?|helpers?|manager|base|impl|common|misc)([-.]|$)/
    const named = broken(({ path }) => (banned.test(path.split('/').at(-1) ?? '') ? ['is a name for anything'] : []))
    expect(named).toEqual([])
  })

  test('exports by name', () => {
    const rule = (source: Source): readonly string[] =>
      [...nodesOf(source.tree)]
        .filter(node => ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword)
        .filter(node => ts.isExportAssignment(node) || !ts.isDefaultClause(node.parent))
        .map(node => `${placeOf(source, node)} exports by default`)
    expect(broken(rule)).toEqual([])
  })

  test('says what type things have', () => {
    const rule = (source: Source): readonly string[] =>
      [...nodesOf(source.tree)]
        .filter(({ kind }) => kind === ts.SyntaxKind.AnyKeyword)
        .map(node => `${placeOf(source, node)} says any`)
    expect(broken(rule, everything)).toEqual([])
  })

  test('is finished', () => {
    const others = everything.filter(({ path }) => path !== 'tidy.test.ts')
    expect(broken(({ text }) => text.match(/\b(TODO|FIXME|XXX|HACK)\b/g) ?? [], others)).toEqual([])
  })

  const unmirrored = sources
    .map(({ path }) => path)
    .filter(path => !existsSync(join(root, 'test', path.replace(/\.ts$/, '.test.ts'))))

  test('has its tests in the place that mirrors it, or a reason why they are elsewhere', () => {
    const untested = unmirrored.filter(path => {
      const place = testedElsewhere.find(({ files }) => files.test(path))
      return place === undefined || !existsSync(join(root, 'test', place.by))
    })
    expect(untested).toEqual([])
  })

  test('has one reason for tests elsewhere, and only if it needs one', () => {
    const used = unmirrored.map(path => testedElsewhere.filter(({ files }) => files.test(path)))
    expect(used.filter(reasons => reasons.length > 1)).toEqual([])
    expect(testedElsewhere.filter(reason => !used.flat().includes(reason))).toEqual([])
  })
})

describe('tests', () => {
  test('are all run, or say beside it why not', () => {
    const passedOver = /\b(test|it|describe)(\.\w+)*\.(only|skip|skipIf|todo|fails)\b/
    const rule = ({ text, path }: Source): readonly string[] => {
      const lines = text.split('\n')
      return lines.flatMap((line, index) => {
        const match = passedOver.exec(line)
        if (match === null || path === 'tidy.test.ts') return []
        const reasoned = match[3] !== 'only' && `${lines[index - 1] ?? ''}${line}`.includes('// ')
        return reasoned ? [] : [`line ${index + 1}: ${line.trim()}`]
      })
    }
    expect(broken(rule, tests)).toEqual([])
  })
})

describe('the core', () => {
  const core = sources.filter(({ path }) => path.startsWith('core/'))

  test('has no clock, no timer, no randomness and no process', () => {
    const names = new Set(['Date', 'performance', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'crypto'])
    expect(broken(source => named(source, names), core)).toEqual([])
    const random = broken(({ text }) => (text.includes('Math.random') ? ['Math.random'] : []), core)
    expect(random).toEqual([])
  })

  test('does not wait', () => {
    const waiting = new Set([ts.SyntaxKind.AsyncKeyword, ts.SyntaxKind.AwaitExpression, ts.SyntaxKind.AwaitKeyword])
    const rule = (source: Source): readonly string[] =>
      [...nodesOf(source.tree)].filter(({ kind }) => waiting.has(kind)).map(node => placeOf(source, node))
    expect(broken(rule, core)).toEqual([])
    expect(broken(source => named(source, new Set(['Promise', 'queueMicrotask'])), core)).toEqual([])
  })
})

describe('what runs in a browser', () => {
  test('names nothing that only Node has', () => {
    const shared = sources.filter(({ path }) => /^(protocol|client)\//.test(path) && !path.endsWith('.node.ts'))
    expect(broken(source => named(source, new Set(['Buffer', 'process', 'require', '__dirname'])), shared)).toEqual([])
  })
})
