/**
 * The form of the code, as far as a machine can judge it: who imports whom, how long things are, what is tested where.
 *
 * Each rule lists what breaks it, so a red test says what to mend. Exceptions stand in `support/tables.ts`, each with its reason, and one that is
 * no longer needed is red as well.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { circlesOf, nodesOf, placeOf, readSources, root, type Import, type Source } from './support/sources.ts'
import { mayImport, importExceptions, drivers, strangers, testedElsewhere, circles } from './support/tables.ts'

const sources = readSources('src')
const tests = readSources('test')
const everything = [...sources, ...tests, ...readSources('bench')]

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
        .filter(({ from }) => drivers[from]?.some(place => source.path.startsWith(place)) !== true)
        .map(({ from }) => from),
    )
    expect(strays).toEqual([])
  })

  test('of modules of Node are not in what runs in a browser, nor in the core', () => {
    const strays = broken(({ path, imports }) => {
      if (!/^(protocol|core|client|web\/(page|console|worker))\//.test(path) || path.endsWith('.node.ts')) return []
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

  test('name the file, with its ending', () => {
    const strays = broken(({ imports }) =>
      imports.filter(({ relative, from }) => relative && !/\.tsx?$/.test(from)).map(({ from }) => from),
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
    .filter(path => !existsSync(join(root, 'test', path.replace(/\.tsx?$/, '.test.ts'))))

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
    const shared = sources.filter(
      ({ path }) => /^(protocol|client|web\/(page|console|worker))\//.test(path) && !path.endsWith('.node.ts'),
    )
    expect(broken(source => named(source, new Set(['Buffer', 'process', 'require', '__dirname'])), shared)).toEqual([])
  })
})
