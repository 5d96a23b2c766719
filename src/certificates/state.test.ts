import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FailureSeries } from './attempts.ts';
import { StateFile } from './state.ts';

const now = new Date('2027-01-01T00:00:00Z');
const nothing = { failure: undefined, advice: undefined };
const failure: FailureSeries = {
  subject: 'local r.example',
  count: 3,
  refusals: 2,
  since: new Date('2026-12-31T20:00:00Z'),
  nextAttempt: new Date('2027-01-01T01:40:00Z'),
  pauseUntil: new Date('2027-01-01T01:40:00Z'),
  directory: 'https://ca.example/dir',
  elsewhere: { directory: 'https://other.example/dir', nextAttempt: new Date('2027-01-01T02:00:00Z') },
  message: 'the CA said no',
  blame: 'ca',
  problem: 'serverInternal',
  rehearsal: false,
};
const advice = {
  fingerprint: 'AA',
  window: {
    start: new Date('2027-02-01'),
    end: new Date('2027-02-03'),
    explanation: 'https://ca.example/why',
  },
  askAgain: new Date('2027-01-01T06:00:00Z'),
};

async function file(): Promise<{ path: string; state: StateFile }> {
  const path = join(await mkdtemp(join(tmpdir(), 'moorage-state-')), 'renewal.json');
  return { path, state: new StateFile(path) };
}

test('a restart forgets neither the failures nor the CA’s advice', async () => {
  const { path, state } = await file();
  await state.write({ failure, advice });
  expect(await new StateFile(path).read(now)).toEqual({ failure, advice });
});

test.each(['', '{"failure": {"count": 3,', '{"failure": {"count": "three"}}', '[]'])(
  'a file that can’t be read says nothing: %s',
  async (text) => {
    const { path, state } = await file();
    await writeFile(path, text);
    expect(await state.read(now)).toEqual(nothing);
    await state.write(nothing);
    expect(await state.read(now)).toEqual(nothing);
  },
);

test('a failure of the future is one of a clock that ran ahead: what it waits for is over', async () => {
  const { state } = await file();
  const ahead = new Date(now.getTime() + 3_600_000);
  await state.write({
    failure: { ...failure, since: ahead, nextAttempt: new Date('2027-01-05') },
    advice: undefined,
  });
  expect((await state.read(now)).failure?.nextAttempt).toEqual(now);
});

test('times in a far future, written by a clock that was wrong, are now', async () => {
  const { state } = await file();
  const wrong = new Date('2037-01-01');
  await state.write({
    failure: { ...failure, nextAttempt: wrong, pauseUntil: wrong },
    advice: { ...advice, askAgain: wrong },
  });
  expect(await state.read(now)).toMatchObject({
    failure: { nextAttempt: now, pauseUntil: now },
    advice: { askAgain: now },
  });
});
