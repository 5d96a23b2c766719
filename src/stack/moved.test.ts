import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { run } from '../system/processes.ts';
import { leaseLine } from './lease.ts';
import { expectNotMoved, type Move, readMove, removeMove, writeMove } from './moved.ts';

let places: ReturnType<typeof paths>;
const move: Move = {
  kind: 'gone',
  id: 'a',
  other: 'root@new',
  folder: '/srv/moorage',
  since: new Date('2026-07-01T12:00:00Z'),
};

beforeEach(async () => {
  places = paths(await mkdtemp(join(tmpdir(), 'moved-')));
});

test('one that has not moved may be changed', async () => {
  await expect(expectNotMoved(places)).resolves.toBeUndefined();
  expect(await readMove(places)).toBeUndefined();
});

test.each([
  ['gone', 'moved', /moved to root@new on 2026-07-01 12:00 UTC/],
  ['coming', 'moving-here', /on its way here from root@new/],
] as const)('one that is %s is not changed', async (kind, code, message) => {
  await writeMove(places, { ...move, kind });
  expect(await readMove(places)).toEqual({ ...move, kind });
  const refusal = { code, message: expect.stringMatching(message) };
  await expect(expectNotMoved(places)).rejects.toMatchObject(refusal);
  await removeMove(places);
  await expect(expectNotMoved(places)).resolves.toBeUndefined();
});

test('a file that can’t be read closes as well', async () => {
  await writeMove(places, move);
  await writeFile(join(places.maintenance, 'moved.lease'), 'moved 0 9999999999\n{');
  await expect(expectNotMoved(places)).rejects.toMatchObject({ code: 'move-unreadable' });
});

test('the parts see it whatever other leases there are, and however long ago it was', async () => {
  const script = join(paths().root, 'registry/config/lease.sh');
  const asked = async () =>
    (await run('sh', ['-c', '. "$0" && asked_for "$1"', script, places.maintenance])).stdout;
  await writeMove(places, { ...move, since: new Date(0) });
  expect(await asked()).toBe('moved');
  for (const [name, phase] of [
    ['a', 'collecting'],
    ['z', 'closed'],
  ] as const)
    await writeFile(join(places.maintenance, `${name}.lease`), leaseLine(phase, new Date()));
  expect(await asked()).toBe('moved');
  await removeMove(places);
  expect(await asked()).toBe('collecting');
  expect(await readFile(join(places.maintenance, 'z.lease'), 'utf8')).toMatch(/^closed/);
});

test('whoever waits for a registry whose machine is lost is told where it says what to do', async () => {
  await writeMove(places, { ...move, kind: 'coming' });
  const remedy = expect.stringMatching(/lost for good: docs\/move\.md/);
  await expect(expectNotMoved(places)).rejects.toMatchObject({ remedy });
});
