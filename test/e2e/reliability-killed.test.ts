import { afterAll, beforeAll, expect, test } from 'vitest';
import { GuardedStack } from '../support/guarded-stack.ts';
import { MovingClients } from '../support/moving-clients.ts';
import { killHard, type Part, runOf } from '../support/part-process.ts';
import { StoredImages } from '../support/stored-image.ts';

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

test.each<Part>(['registry', 'gate', 'nginx', 'renewer'])(
  'kill -9 of the %s under pushes and pulls: it is back by itself, all clients get through, nothing is corrupt',
  async (part) => {
    const clients = await MovingClients.make(stack, part, { docker: 1, skopeo: 1 });
    try {
      const { all } = clients;
      const moved = Promise.all(all.map(async (client) => ({ client, ran: await client.move() })));
      await expect.poll(() => clients.inTheMiddle, SOON).toBe(true);
      const killed = await killHard(stack.checkout, part);
      const back = async () => {
        const { running, startedAt } = await runOf(stack.checkout, part);
        return running && startedAt !== killed.startedAt;
      };
      await expect.poll(back, SOON).toBe(true);
      const failed = (await moved).filter(({ ran }) => ran.exitCode !== 0);
      await expect.poll(answers, SOON).toBe(200);
      // What can be pulled is whole, also where the push was cut off.
      for (const { repository } of all)
        for (const tag of await stored.tags(repository)) await stored.verified(repository, tag);
      for (const { client } of failed)
        expect(await client.move(), `${client.title}, a second time`).toMatchObject({ exitCode: 0 });
      for (const { repository, config } of all) expect(await stored.verified(repository, '1')).toBe(config);
    } finally {
      await clients.dispose();
    }
  },
);

async function answers(): Promise<number> {
  return (await stack.calls.ask('GET', '/v2/', { as: stack.login('admin') }).catch(() => ({ status: 0 })))
    .status;
}
