import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { UsageLog } from './usage-log.ts';

const HOUR = 3_600_000;
const disk = { free: 10, size: 100 };
let file: string;
let clock: FakeClock;
let log: UsageLog;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'usage-')), 'var', 'usage.jsonl');
  clock = new FakeClock('2026-07-01T12:00:00Z');
  log = new UsageLog(file, clock);
});

const times = async () => (await log.read()).map(({ at }) => at.toISOString().slice(5, 16));

test('one an hour, however often it is asked, over restarts too', async () => {
  for (let minute = 0; minute < 130; minute += 10) {
    await (minute % 20 === 0 ? log : new UsageLog(file, clock)).sample({ ...disk, free: minute });
    await clock.sleep(HOUR / 6);
  }
  expect(await log.read()).toEqual([
    { at: new Date('2026-07-01T12:00:00Z'), free: 0, size: 100 },
    { at: new Date('2026-07-01T13:00:00Z'), free: 60, size: 100 },
    { at: new Date('2026-07-01T14:00:00Z'), free: 120, size: 100 },
  ]);
});

test('after the clock was set back it goes on at once', async () => {
  await log.sample(disk);
  clock.set(new Date('2026-06-01T00:00:00Z'));
  await log.sample(disk);
  await clock.sleep(HOUR);
  await log.sample(disk);
  expect(await times()).toEqual(['07-01T12:00', '06-01T00:00', '06-01T01:00']);
});

test('a torn line costs one sample', async () => {
  await log.sample(disk);
  await appendFile(file, '{"at":"2026-07-01T12:3');
  await clock.sleep(HOUR);
  await log.sample(disk);
  expect(await times()).toEqual(['07-01T12:00', '07-01T13:00']);
  expect(await readFile(file, 'utf8')).toMatch(/}\n$/);
});

test('90 days are kept, in a file that does not grow', async () => {
  const day = (index: number) => new Date(clock.now().getTime() + index * HOUR).toISOString();
  const lines = Array.from({ length: 5_000 }, (_, index) => JSON.stringify({ at: day(index), ...disk }));
  await log.sample(disk);
  await writeFile(file, `${lines.join('\n')}\n`);
  clock.set(new Date(clock.now().getTime() + 5_000 * HOUR));
  await log.sample(disk);
  const kept = await log.read();
  expect(kept).toHaveLength(90 * 24 + 1);
  expect(kept.at(-1)?.at).toEqual(clock.now());
});

test('a file that can’t be written ends nothing', async () => {
  await log.sample(disk);
  const broken = new UsageLog(join(file, 'below-a-file'), clock);
  await broken.sample(disk);
  expect(await times()).toEqual(['07-01T12:00']);
});
