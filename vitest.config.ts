import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;
const PATIENCE = { testTimeout: 15 * MINUTE, hookTimeout: 15 * MINUTE };

/** They fill disks or memory, or count what comes through within a time, and want the machine to themselves. */
const ALONE = [
  ...['access', 'bad-input', 'disk', 'doctor', 'flood', 'front-limits', 'interruption', 'ipv6', 'local'],
  ...['nginx-faults', 'reliability-killed', 'reliability-large', 'reliability-recreated'],
  ...['reliability-uploads', 'renewal', 'status', 'upgrade', 'uploads'],
].map((name) => `test/e2e/${name}.test.ts`);

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
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // They make the images that the next ones share.
        test: {
          name: 'e2e',
          include: ALONE,
          ...PATIENCE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
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
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
