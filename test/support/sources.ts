/** The sources of this project, parsed: what each file imports, and what it is made of. For tests of the code's own form. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Import {
  /** A path below `src`, for a relative import; else the name of a package or of a module of Node. */
  readonly from: string
  readonly relative: boolean
  /** It leaves nothing behind once the types are gone. */
  readonly typeOnly: boolean
}

export interface Source {
  /** Below the folder that was read, with slashes. */
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly tree: ts.SourceFile
  readonly imports: readonly Import[]
}

/** Every TypeScript file of a folder of the project, by path. */
export function readSources(folder: string): readonly Source[] {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return paths
    .filter(path => /\.tsx?$/.test(path) && !path.includes('node_modules'))
    .map(path => path.replaceAll('\\', '/'))
    .sort()
    .map(path => readSource(folder, path))
}

function readSource(folder: string, path: string): Source {
  const text = readFileSync(join(root, folder, path), 'utf8')
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
  const lines = text.trimEnd().split('\n').length
  return { path, text, lines, tree, imports: importsOf(path, tree) }
}

/** Every node of a tree, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node
  for (const child of node.getChildren()) yield* nodesOf(child)
}

/** Where a node begins, as an editor finds it. */
export function placeOf({ path, tree }: Source, node: ts.Node): string {
  return `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
}

function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const imports: Import[] = []
  const note = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return
    const relative = specifier.text.startsWith('.')
    const from = relative ? normalize(join(dirname(path), specifier.text)).replaceAll('\\', '/') : specifier.text
    imports.push({ from, relative, typeOnly })
  }
  for (const node of nodesOf(tree)) {
    if (ts.isImportDeclaration(node)) note(node.moduleSpecifier, isTypeOnly(node.importClause))
    else if (ts.isExportDeclaration(node)) note(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      note(node.arguments[0], false)
  }
  return imports
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings: named } = clause
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.every(element => element.isTypeOnly)
  )
}

/** The groups of files that reach each other by imports, each sorted; a file alone is no group. */
export function circlesOf(sources: readonly Source[], follows: (one: Import) => boolean): readonly string[][] {
  const next = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter(one => one.relative && follows(one)).map(one => one.from),
    ]),
  )
  const reached = new Map(sources.map(({ path }) => [path, reachedFrom(path, next)]))
  const circles = new Map<string, string[]>()
  for (const [path, others] of reached) {
    if (!others.has(path)) continue
    const circle = [...others].filter(other => reached.get(other)?.has(path) === true).sort()
    circles.set(circle.join(' '), circle)
  }
  return [...circles.values()]
}

function reachedFrom(path: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>()
  const open = [...(next.get(path) ?? [])]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (reached.has(at)) continue
    reached.add(at)
    open.push(...(next.get(at) ?? []))
  }
  return reached
}
