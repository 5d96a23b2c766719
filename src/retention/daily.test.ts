import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { retention, rule } from '../../test/support/inventories.ts';
import { Failure } from '../errors.ts';
import { Events } from '../events.ts';
import { type DailyParts, lastTurn, pruneDaily } from './daily.ts';

const HOUR = 3_600_000;
const APPLIED = { run: '1', removed: 1, untagged: 2, changed: [] };
let clock: FakeClock;
let parts: DailyParts;
let events: Events;
let done: number;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daily-'));
  clock = new FakeClock('2026-06-15T12:00:00Z');
  events = new Events(join(folder, 'events.jsonl'), clock);
  done = 0;
  parts = {
    clock,
    events,
    stateFile: join(folder, 'retention.json'),
    seed: 'a registry',
    readRules: async () => retention(rule({ last: 1 })),
    prune: async () => {
      done += 1;
      return APPLIED;
    },
  };
});

/** Looks every hour for so many days. */
async function live(days: number, with_: DailyParts = parts): Promise<string[]> {
  const lines: string[] = [];
  for (let hour = 0; hour < days * 24; hour++) {
    lines.push(...(await pruneDaily(with_)));
    await clock.sleep(HOUR);
  }
  return lines;
}

test('it is done once a day, at the same time, and not at once where rules are new', async () => {
  expect(await pruneDaily(parts)).toEqual([]);
  expect(await live(3)).toEqual(Array(3).fill('1 tag and 2 untagged manifests removed by retention.yaml'));
  expect(done).toBe(3);
  expect(await events.last(9)).toHaveLength(3);
});

test('each installation has a time of its own', () => {
  const turns = Array.from({ length: 50 }, (_, index) => lastTurn(clock.now(), `registry ${index}`));
  expect(new Set(turns.map((turn) => turn.getUTCHours())).size).toBeGreaterThan(10);
  for (const turn of turns) {
    expect(turn.getTime()).toBeLessThanOrEqual(clock.now().getTime());
    expect(turn.getTime()).toBeGreaterThan(clock.now().getTime() - 24 * HOUR);
  }
});

test('without rules nothing is done, and nothing is told where nothing goes', async () => {
  expect(await live(2, { ...parts, readRules: async () => undefined })).toEqual([]);
  expect(await live(2, { ...parts, prune: async () => undefined })).toEqual([]);
  expect(await events.last(9)).toEqual([]);
});

test('a failure is told once for as long as it lasts, and tried again each day', async () => {
  const failing = {
    ...parts,
    prune: async () => {
      done += 1;
      throw new Failure('not-writable', 'they belong to another user.', 'Run it as root.');
    },
  };
  expect(await live(4, failing)).toEqual([
    'nothing was removed by retention.yaml: they belong to another user.',
  ]);
  expect(done).toBe(4);
  expect(await events.last(9)).toMatchObject([{ kind: 'trouble' }]);
});

test('behind another command it waits for the next look', async () => {
  let busy = 2;
  const waiting = {
    ...parts,
    prune: async () => {
      done += 1;
      if (busy-- > 0) throw new Failure('locked', 'npm run gc is running.', 'Wait.');
      return APPLIED;
    },
  };
  await pruneDaily(waiting);
  expect(await live(1, waiting)).toHaveLength(1);
  expect(done).toBe(3);
});

test('after a clock that was years ahead it is done again', async () => {
  const ahead = new FakeClock('2036-06-15T12:00:00Z');
  await pruneDaily({ ...parts, clock: ahead });
  await live(3);
  expect(done).toBe(3);
});
