import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;
const PATIENCE = { testTimeout: 15 * MINUTE, hookTimeout: 15 * MINUTE };

/** They fill disks, count what comes through within a time, or make the images that the next ones share. */
const ALONE = [
  ...['disk', 'flood', 'front-limits', 'local', 'reliability-killed'],
  ...['reliability-recreated', 'reliability-uploads', 'uploads'],
].map((name) => `test/e2e/${name}.test.ts`);

/** unit: quick, beside the code · engine: one module against a real engine · faults: what a CA and a machine may do to a renewal · e2e: what a user sees, all parts real. */
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
          include: ['test/engine/**/*.test.ts'],
          testTimeout: 5 * MINUTE,
          hookTimeout: 5 * MINUTE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 5 * MINUTE,
          hookTimeout: 5 * MINUTE,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ALONE,
          ...PATIENCE,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
      {
        // They wait more than they work, and touch nothing that they have not made: two go side by side.
        test: {
          name: 'e2e-pairs',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ALONE,
          ...PATIENCE,
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
