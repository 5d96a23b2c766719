import { appendFile, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Ledger } from './ledger.ts';

const names = ['r.example'];

async function open() {
  const path = join(await mkdtemp(join(tmpdir(), 'moorage-ledger-')), 'var/ledger.jsonl');
  const clock = new FakeClock('2027-01-01T00:00:00Z');
  return { path, clock, ledger: new Ledger(path, clock) };
}

test('what was written is there after a restart, in its order and with its time', async () => {
  const { path, clock, ledger } = await open();
  await ledger.add({ event: 'order', directory: 'https://ca.example/dir', names, replaces: true });
  await clock.sleep(5_000);
  await ledger.add({ event: 'failed', names, blame: 'ca', problem: 'serverInternal', message: 'no\nway' });
  expect(await new Ledger(path, clock).read()).toEqual([
    {
      at: new Date('2027-01-01T00:00:00Z'),
      event: 'order',
      directory: 'https://ca.example/dir',
      names,
      replaces: true,
    },
    {
      at: new Date('2027-01-01T00:00:05Z'),
      event: 'failed',
      names,
      blame: 'ca',
      problem: 'serverInternal',
      message: 'no\nway',
    },
  ]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a line that a kill or a full disk left half written costs that line only', async () => {
  const { path, ledger } = await open();
  await ledger.add({ event: 'order', names });
  await appendFile(path, '{"at":"2027-01-01T00:0');
  await ledger.add({ event: 'issued', names });
  expect((await ledger.read()).map(({ event }) => event)).toEqual(['order', 'issued']);
});

test('without a file there is nothing to read', async () => {
  expect(await (await open()).ledger.read()).toEqual([]);
});

test('it does not grow without end: what is older than three months goes, once there is much of it', async () => {
  const { path, clock, ledger } = await open();
  await ledger.add({ event: 'order', names });
  const line = (at: string) => JSON.stringify({ at, event: 'order', names });
  const old = Array.from({ length: 2_000 }, () => line('2026-01-01T00:00:00Z'));
  await writeFile(path, [...old, line('2026-12-31T00:00:00Z')].join('\n'));
  await ledger.read();
  expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
  await ledger.add({ event: 'issued', names });
  expect((await ledger.read()).map(({ event }) => event)).toEqual(['order', 'issued']);
  expect(clock.now()).toEqual(new Date('2027-01-01T00:00:00Z'));
});
