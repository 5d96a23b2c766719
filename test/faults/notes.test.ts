import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemCode } from '../../src/errors.ts';
import { Events } from '../../src/events.ts';
import { Journal } from '../../src/journal.ts';
import { UsageLog } from '../../src/usage/usage-log.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Mounted, mountSmallDisk } from '../support/mounts.ts';

const KIB = 1024;
const disk = { free: 0, size: 100 };
let folder: string;
let mounted: Mounted;
let clock: FakeClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage-notes-'));
  mounted = await mountSmallDisk(folder, 64);
  clock = new FakeClock('2026-07-01T12:00:00Z');
});

afterEach(async () => {
  await mounted.unmount();
  await rm(folder, { recursive: true });
});

/** Until there is no byte left. */
async function fill(): Promise<void> {
  for (let size = 64 * KIB; size >= 1; size = Math.floor(size / 2)) {
    const filled = (await readFile(join(folder, 'filling')).catch(() => Buffer.alloc(0))).length;
    await writeFile(join(folder, 'filling'), Buffer.alloc(filled + size)).catch(() => undefined);
  }
}

const free = () => rm(join(folder, 'filling'));

test('on a full disk events and samples are lost, nothing fails, and with room it goes on', async () => {
  const events = new Events(join(folder, 'events.jsonl'), clock);
  const usage = new UsageLog(join(folder, 'usage.jsonl'), clock);
  await events.record('gc', 'done', 'before');
  await usage.sample(disk);
  await fill();
  for (let number = 0; number < 80; number += 1) {
    await events.record('gc', 'done', `${number} ${'x'.repeat(100)}`);
    await clock.sleep(3_600_000);
    await usage.sample(disk);
  }
  const [lastEvent, samples] = [(await events.last(1))[0]?.text, (await usage.read()).length];
  expect(lastEvent).not.toMatch(/^79 /);
  expect(samples).toBeLessThan(81);
  await free();
  await clock.sleep(3_600_000);
  await events.record('gc', 'done', 'after');
  await usage.sample(disk);
  const texts = (await events.last(200)).map(({ text }) => text);
  expect([texts[0], texts.at(-1)]).toEqual(['after', 'before']);
  expect(await usage.read()).toHaveLength(samples + 1);
});

test('a journal that can’t be written says so before the step begins, and still knows the one before', async () => {
  const journal = new Journal(join(folder, 'gc.json'), clock);
  await journal.begin();
  await journal.reach('Drain');
  await fill();
  const said = await journal.reach(`Collect ${'x'.repeat(8 * KIB)}`).then(() => 'written', systemCode);
  expect(said).toBe('ENOSPC');
  expect((await new Journal(join(folder, 'gc.json'), clock).interrupted())?.step).toBe('Drain');
});
