import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { AuditLog } from './audit.ts';

const START = '2026-01-01T00:00:00.000Z';
const AT = { user: null, address: '192.0.2.1' } as const;

let folder: string;
let clock: FakeClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
  clock = new FakeClock(START);
});

const open = () => new AuditLog(folder, clock, (problem) => expect.fail(problem));
const lines = async () =>
  (await readFile(join(folder, 'audit.log'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('each event is one line with its time, for its owner’s eyes', async () => {
  const log = open();
  log.write({
    event: 'push',
    user: 'ada',
    address: '192.0.2.1',
    repository: 'team/app',
    tag: 'v1',
    status: 201,
  });
  await log.flushed();
  expect(await lines()).toEqual([
    {
      at: START,
      event: 'push',
      user: 'ada',
      address: '192.0.2.1',
      repository: 'team/app',
      tag: 'v1',
      status: 201,
    },
  ]);
  expect((await stat(join(folder, 'audit.log'))).mode & 0o777).toBe(0o600);
});

test('who is throttled again and again gets a line a minute, with the number of requests', async () => {
  const log = open();
  for (let request = 0; request < 5; request += 1) log.write({ event: 'throttled', ...AT });
  log.write({ event: 'throttled', user: null, address: '192.0.2.2' });
  clock.set(new Date(Date.parse(START) + 60_000));
  log.write({ event: 'throttled', ...AT });
  await log.flushed();
  expect((await lines()).map(({ address, count }) => [address, count])).toEqual([
    ['192.0.2.1', 1],
    ['192.0.2.2', 1],
    ['192.0.2.1', 5],
  ]);
});

test('wrong tokens, which cost their sender nothing, push nobody out of the log: a line a minute for each origin', async () => {
  const log = open();
  for (let request = 0; request < 500; request += 1)
    log.write({ event: 'login-failed', user: null, token: null, address: `2001:db8::${request}` });
  log.write({ event: 'login-failed', user: 'ada', token: 'k3f9k3f9', address: '2001:db8::1' });
  log.write({ event: 'login-failed', user: 'ada', address: '2001:db8::1' });
  log.write({ event: 'login-failed', user: 'ada', address: '2001:db8::1' });
  await log.flushed();
  expect((await lines()).map(({ token, count }) => [token, count])).toEqual([
    [null, 1],
    ['k3f9k3f9', 1],
    [undefined, undefined],
    [undefined, undefined],
  ]);
});
