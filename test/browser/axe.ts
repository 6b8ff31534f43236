/** What axe-core has to mend on a page: nothing. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** `place` names what is shown, for whoever reads that something is not fine. */
export async function isFine(page: Page, place: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
  }>(`axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`)
  const words = found.violations.map(({ id, nodes }) => [
    place,
    id,
    ...nodes.map(node => `${node.html}: ${node.failureSummary}`),
  ])
  expect(words).toEqual([])
}
