import { defineConfig } from 'vitest/config'

// The folders whose tests need seconds, real processes or real disks; everything else is a unit test and belongs to `npm run check`.
const slow = [
  'test/simulation/**',
  'test/fault/**',
  'test/security/**',
  'test/cli/**',
  'test/browser/**',
  'test/**/*.slow.test.ts',
]

/**
 * Those of them whose figures say nothing while another test has a core as well: how soon somebody is back, how late an event loop is, which of
 * two answers takes longer.
 */
const alone = [
  'test/fault/shutdown.test.ts',
  'test/fault/stall.test.ts',
  'test/fault/storm.test.ts',
  'test/security/identity.test.ts',
  'test/browser/tabs.test.ts',
  'test/browser/trouble.test.ts',
  'test/store/redis-outage.slow.test.ts',
  'test/nodes.slow.test.ts',
]

/**
 * Test files that run at a time. Vitest would leave one core to itself and so have one file at a time on a machine with two, though most of
 * them wait for most of their time.
 */
const SIDE_BY_SIDE = 2

/** What is polled for may take as long as it does on a busy machine; the default is a second. */
const patience = { poll: { timeout: 30_000, interval: 50 } }
const patient = { expect: patience, testTimeout: 300_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    reporters: ['default', './test/support/reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          expect: patience,
          include: ['test/**/*.test.ts'],
          exclude: slow,
          // For a machine that is busy with something else.
          testTimeout: 60_000,
          maxWorkers: SIDE_BY_SIDE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'slow',
          ...patient,
          include: slow.map(folder => folder.replace(/\*\*$/, '**/*.test.ts')),
          exclude: alone,
          maxWorkers: SIDE_BY_SIDE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'alone',
          ...patient,
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
