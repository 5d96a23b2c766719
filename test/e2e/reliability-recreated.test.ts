import { afterAll, beforeAll, expect, test } from 'vitest';
import { GuardedStack } from '../support/guarded-stack.ts';
import { MovingClients } from '../support/moving-clients.ts';
import { StoredImages } from '../support/stored-image.ts';

const CLIENTS = 20;
const BOTH = { docker: CLIENTS / 4, skopeo: CLIENTS / 4 };
/** What is on its way through nginx ends with it, and skopeo 1.9 does not come again after that. Docker does. */
const DOCKER = { docker: CLIENTS / 2 };
const SOON = { timeout: 120_000, interval: 50 };

let stack: GuardedStack;
let stored: StoredImages;

beforeAll(async () => {
  stack = await GuardedStack.open('users:\n  admin: [admin]\n', ['nobody']);
  stored = new StoredImages(stack);
});

afterAll(async () => {
  stored?.close();
  await stack?.checkout.dispose();
});

test.each([
  ['registry', BOTH],
  ['nginx', DOCKER],
  ['gate', BOTH],
] as const)(
  'the %s is recreated in the middle of 20 pushes and pulls: all succeed by their own retries',
  async (part, programs) => {
    const clients = await MovingClients.make(stack, part, programs);
    try {
      const moved = Promise.all(clients.all.map(async ({ title, move }) => ({ title, ...(await move()) })));
      await expect.poll(() => clients.inTheMiddle, SOON).toBe(true);
      const recreate = ['up', '-d', '--force-recreate', '--no-deps', part];
      expect(await stack.checkout.compose(...recreate)).toMatchObject({ exitCode: 0 });
      expect((await moved).filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
      expect(clients.all).toHaveLength(CLIENTS);
      for (const { repository, config } of clients.all)
        expect(await stored.verified(repository, '1')).toBe(config);
    } finally {
      await clients.dispose();
    }
  },
);
