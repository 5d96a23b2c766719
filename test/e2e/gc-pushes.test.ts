import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from '../../src/settings/environment.ts';
import { keepBusy } from '../support/busy-registry.ts';
import { Checkout } from '../support/checkout.ts';

/** A thousand rounds take hours: GC_ROUNDS=1000 npm test -- --project e2e gc-pushes */
const ROUNDS = Number(environment().GC_ROUNDS ?? 3);
const MINUTE = 60_000;

let checkout: Checkout;
let as: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  const { firstUser } = await checkout.init();
  as = `${firstUser?.name}:${firstUser?.password}`;
});

afterAll(() => checkout?.dispose());

test(
  'push, prune, collect and pull at the same time: what was said to be pushed can be pulled',
  async () => {
    const { pushed, deleted, lost, failed } = await keepBusy(checkout, as, { pushers: 3, rounds: ROUNDS });
    expect({ lost, failed }).toEqual({ lost: [], failed: [] });
    expect(pushed).toBeGreaterThan(0);
    expect(deleted).toBeGreaterThan(0);
  },
  (10 + ROUNDS) * MINUTE,
);
