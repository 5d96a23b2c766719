import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKER } from '../access/prover.ts';
import { Events } from '../events.ts';
import { Journal } from '../journal.ts';
import { Secret } from '../secret.ts';
import { systemClock as clock } from '../system/clock.ts';
import { hashPassword } from '../users/password.ts';
import { addUser, listUsers } from '../users/users.ts';
import { finishInterrupted, restOf } from './finish.ts';

const ENTRY = { since: new Date('2026-01-01T00:00:00Z'), step: 'collect', facts: {} };

test.each([
  ['nothing was interrupted', undefined, false, 'nothing'],
  ['somebody else’s collector is none of its business', undefined, true, 'nothing'],
  ['its collector is still at work', ENTRY, true, 'await-collector'],
  ['it left only files', ENTRY, false, 'clear'],
] as const)('%s', (_, entry, works, expected) => {
  expect(restOf(entry, works)).toBe(expected);
});

async function interrupted() {
  const folder = await mkdtemp(join(tmpdir(), 'finish-'));
  const paths = { maintenance: join(folder, 'maintenance'), usersFile: join(folder, 'users') };
  await mkdir(paths.maintenance);
  for (const name of ['gc.lease', 'collector.lease', 'collector.folders'])
    await writeFile(join(paths.maintenance, name), 'left\n');
  for (const name of ['ada', CHECKER])
    await addUser(paths.usersFile, name, await hashPassword(new Secret('a password'), 4));
  const journal = new Journal(join(folder, 'gc.json'), clock);
  await journal.begin();
  await journal.reach('collect');
  const events = new Events(join(folder, 'events.jsonl'), clock);
  return { paths, clock, journal, events };
}

test('what a killed run left is cleared away, and told', async () => {
  const parts = await interrupted();
  const done = await finishInterrupted(parts, async () => false, { patient: true });
  expect(done).toMatchObject({
    changed: true,
    summary: expect.stringMatching(/cut off at the step “collect”/),
  });
  expect(await readdir(parts.paths.maintenance)).toEqual([]);
  expect((await listUsers(parts.paths.usersFile)).map(({ name }) => name)).toEqual(['ada']);
  expect(await parts.journal.interrupted()).toBeUndefined();
  expect(await parts.events.last(1)).toMatchObject([{ by: 'gc', kind: 'done' }]);
});

test('while its collector works, who does not wait leaves all as it is', async () => {
  const parts = await interrupted();
  expect(await finishInterrupted(parts, async () => true, { patient: false })).toMatchObject({
    changed: false,
  });
  expect(await readdir(parts.paths.maintenance)).toHaveLength(3);
  expect(await parts.journal.interrupted()).toBeDefined();
});

test('who waits clears up once the collector has ended', async () => {
  const parts = await interrupted();
  const works = [true, true, false];
  await finishInterrupted(
    { ...parts, clock: { ...clock, sleep: async () => {} } },
    async () => works.shift() ?? false,
    {
      patient: true,
    },
  );
  expect(await parts.journal.interrupted()).toBeUndefined();
});
