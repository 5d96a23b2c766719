import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Events } from '../events.ts';
import { tellOfDisk } from './disk-events.ts';

const MIB = 1024 ** 2;

test('that pushes are refused is told once, and that they are taken again with some slack', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'disk-events-')), 'events.jsonl');
  const clock = new FakeClock('2026-07-01T12:00:00Z');
  const look = (free: number) =>
    tellOfDisk(new Events(path, clock), { free: free * MIB, size: 500 * MIB, mark: 100 * MIB });
  for (const free of [300, 101, 99, 50, 105, 99, 111, 105, 300]) await look(free);
  await new Events(path, clock).record('gc', 'done', 'freed something');
  await look(20);
  const told = (await new Events(path, clock).last(10)).filter(({ by }) => by === 'disk').reverse();
  expect(told.map(({ kind, text }) => [kind, text])).toEqual([
    ['trouble', 'only 99 MiB are free: pushes are refused below 100 MiB'],
    ['done', '111 MiB are free again: pushes are taken'],
    ['trouble', 'only 20 MiB are free: pushes are refused below 100 MiB'],
  ]);
});
