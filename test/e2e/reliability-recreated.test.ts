import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GuardedStack } from '../support/guarded-stack.ts';
import { MovingClients } from '../support/moving-clients.ts';
import { StoredImages } from '../support/stored-image.ts';

const MiB = 1024 * 1024;
const SOON = { timeout: 60_000, interval: 50 };

let stack: GuardedStack;
let clients: MovingClients;
let stored: StoredImages;

beforeAll(async () => {
  stack = await GuardedStack.open('users:\n  admin: [admin]\n', ['nobody']);
  stored = new StoredImages(stack);
  // Pulls take their time, as over a network.
  await writeFile(join(stack.checkout.root, 'nginx/user.d/slow.conf'), 'limit_rate 1m;\n');
  clients = await MovingClients.make(stack, {
    ofEach: 5,
    pushed: { layers: 3, bytes: 24 * MiB },
    pulled: { layers: 4, bytes: 6 * MiB },
  });
  await stack.checkout.compose('exec', 'nginx', 'nginx', '-s', 'reload');
});

afterAll(async () => {
  stored?.close();
  await clients?.dispose();
  await stack?.checkout.dispose();
});

test('registry, nginx and gate are recreated under 20 pushes and pulls: all succeed by their own retries', async () => {
  const all = [...clients.pushers, ...clients.pullers];
  let left = all.length;
  const t0 = Date.now();
  const moved = Promise.all(
    all.map(async (client) => {
      const ran = await client.move();
      left -= 1;
      if (process.env.DBG) console.log(Date.now() - t0, client.title, ran.exitCode, ran.stderr);
      return { client: client.title, exitCode: ran.exitCode, stderr: ran.exitCode ? ran.stderr : '' };
    }),
  );
  for (const part of ['registry', 'nginx', 'gate']) {
    await expect.poll(() => clients.inFlight(), SOON).toBe(true);
    if (process.env.DBG) console.log(Date.now() - t0, 'recreate', part, left);
    const { exitCode, stderr } = await stack.checkout.compose('up', '-d', '--force-recreate', '--no-deps', part);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    if (process.env.DBG) console.log(Date.now() - t0, 'recreated', part, left);
  }
  expect(left, 'clients that saw all of it').toBeGreaterThan(0);
  expect((await moved).filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
  for (const { repository, config } of all) expect(await stored.verified(repository, '1')).toBe(config);
});
