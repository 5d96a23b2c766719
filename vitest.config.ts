import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;
const PATIENCE = { testTimeout: 15 * MINUTE, hookTimeout: 15 * MINUTE };

/** They wait more than they work, and touch nothing that they have not made: two go side by side. */
const IN_PAIRS = [
  ...['blobs', 'certbot', 'clean-up-rounds', 'doctor-fronts', 'doctor-outside', 'gate-transport', 'gc'],
  ...['gc-killed', 'gc-s3', 'issuers', 'mirror', 'prune', 'prune-s3', 'reliability-slow', 'restore'],
  ...['short-lived', 'storage-s3', 'deploy-extras', 'deploy-machine', 'engine-proxy', 'images-load'],
  ...['move-to', 'move-name', 'red-hat', 'red-hat-deploy', 'storage-move', 'trust', 'uninstall'],
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
          include: ['test/e2e/**/*.test.ts'],
          exclude: IN_PAIRS,
          ...PATIENCE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e-pairs',
          include: IN_PAIRS,
          ...PATIENCE,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
