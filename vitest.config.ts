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

/** What is polled for may take as long as it does on a busy machine; the default is a second. */
const patience = { poll: { timeout: 30_000, interval: 50 } }

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
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'slow',
          expect: patience,
          include: slow.map(folder => folder.replace(/\*\*$/, '**/*.test.ts')),
          testTimeout: 300_000,
          hookTimeout: 60_000,
          // One after the other, and after the unit tests: they measure time and load, and would find each other's.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
