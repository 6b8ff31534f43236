/**
 * Closes every run with what is wrong, each failed test by its name, and with one plain line, `N passed, N failed`, which CI reads. Vitest's own
 * summary is for people who see all of it; of a long run often only the end is kept.
 */
import { relative } from 'node:path'
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node'

/** Failed tests that are named; the others are counted. */
const MAX_NAMED = 50
/** Characters of a message. */
const MAX_WORDS = 200

export default class PlainReporter implements Reporter {
  #root = ''

  onInit({ config }: Vitest): void {
    this.#root = config.root
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const failures: string[] = []
    let passed = 0
    let skipped = 0
    for (const module of modules) {
      const file = relative(this.#root, module.moduleId)
      for (const error of module.errors()) failures.push(`${file}: ${wordsOf(error)}`)
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failures.push(`${file} > ${test.fullName}: ${wordsOf(errors[0])}`)
        else skipped++
      }
      for (const suite of module.children.allSuites())
        for (const error of suite.errors()) failures.push(`${file} > ${suite.fullName}: ${wordsOf(error)}`)
    }
    for (const error of unhandledErrors) failures.push(`outside of any test: ${wordsOf(error)}`)
    const named = failures.slice(0, MAX_NAMED).map(failure => `failed: ${failure}\n`)
    if (failures.length > MAX_NAMED) named.push(`failed: ${failures.length - MAX_NAMED} more\n`)
    const tail = skipped > 0 ? `, ${skipped} skipped` : ''
    process.stdout.write(`\n${named.join('')}${passed} passed, ${failures.length} failed${tail}\n`)
  }
}

/** The first line of what an error says. */
function wordsOf(error: SerializedError | undefined): string {
  return (error?.message ?? '').split('\n')[0]?.slice(0, MAX_WORDS) ?? ''
}
