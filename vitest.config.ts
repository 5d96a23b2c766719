import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

/** unit: quick, beside the code · engine: one module against a real engine, and what a CA and a machine may do to a renewal · e2e: what a user sees, all parts real. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/temporary-folder.ts',
    projects: [
      {
        // One process for all files of a worker: modules are loaded once, which halves the time.
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/unit/**/*.test.ts'],
          isolate: false,
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts', 'test/faults/**/*.test.ts'],
          testTimeout: 5 * MINUTE,
          hookTimeout: 5 * MINUTE,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 15 * MINUTE,
          hookTimeout: 15 * MINUTE,
          fileParallelism: false,
        },
      },
    ],
  },
});
