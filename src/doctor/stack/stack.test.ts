import { expect, test } from 'vitest';
import type { Condition } from '../../engine/engine.ts';
import type { Finding } from '../finding.ts';
import { judgeAccess } from './access.ts';
import { judgeDifferences } from './differences.ts';
import type { Wanted } from './facts.ts';
import { judgeEntry } from './interrupted.ts';
import { judgeLogs } from './logs.ts';
import { judgeMirror } from './mirror.ts';
import { judgePart } from './parts.ts';
import { judgeRetention } from './retention.ts';
import { judgeFolder } from './storage.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const RULES = 'rules: [{ repo: tools, keep-last: 10 }]';
const ROTATED = { driver: 'json-file', path: '', options: { 'max-size': '10m' } };
const CONDITION: Condition = {
  status: 'running',
  health: 'healthy',
  check: undefined,
  exitCode: 0,
  outOfMemory: false,
  restarts: 0,
  startedAt: ago(60),
  labels: { 'com.docker.compose.config-hash': 'h1' },
  image: { id: 'i1', reference: 'gate:1' },
  environment: ['AUTH_TTL=60', 'PATH=/bin'],
  log: ROTATED,
};
const WANTED: Wanted = { image: 'gate:1', imageId: 'i1', hash: 'h1', environment: { AUTH_TTL: '60' } };

const part = (condition: Partial<Condition> | undefined, log = '') =>
  judgePart({ part: 'gate', condition: condition && { ...CONDITION, ...condition }, log }, NOW);
const differs = (wanted: Partial<Wanted> | undefined, touched?: Date) =>
  judgeDifferences(
    new Map(wanted === undefined ? [] : [['gate', { ...WANTED, ...wanted }]]),
    [{ part: 'gate', id: 'c', condition: CONDITION }],
    new Map([['gate', touched && { file: 'nginx/user.d/x.conf', changed: touched }]]),
  );
const log = (options: Record<string, string>, bytes: number) =>
  judgeLogs([{ part: 'nginx', log: { ...ROTATED, options }, bytes }]);
const problem = [{ input: 'access.yaml:1', message: 'is wrong' }];

test.each<[string, Finding, Finding['verdict'], RegExp?]>([
  ['a part that runs', part({}), 'fine'],
  ['a part that is not there', part(undefined), 'broken', /^gate is not there$/],
  [
    'a part that has ended',
    part({ status: 'exited', exitCode: 3 }, 'why'),
    'broken',
    /exit code 3\); its log ends with:\nwhy/,
  ],
  [
    'one that the kernel ended',
    part({ status: 'exited', exitCode: 137, outOfMemory: true }),
    'broken',
    /want of memory/,
  ],
  [
    'one that ends again and again',
    part({ restarts: 5, startedAt: ago(1) }, 'why'),
    'broken',
    /5 restarts.*\nwhy/,
  ],
  ['one that has got over it', part({ restarts: 5, startedAt: ago(20) }), 'fine'],
  ['one that waits to be started again', part({ status: 'restarting' }), 'broken', /again and again/],
  ['one that is unwell', part({ health: 'unhealthy' }, 'why'), 'broken', /unhealthy; its log/],
  ['one that has just begun', part({ health: 'starting', startedAt: ago(0) }), 'fine'],
  ['one that never comes to an end with it', part({ health: 'starting', startedAt: ago(5) }), 'warning'],
  ['what is wanted runs', differs({}), 'fine'],
  [
    'another setting',
    differs({ environment: { AUTH_TTL: '5' } }),
    'warning',
    /^gate runs with other settings: AUTH_TTL$/,
  ],
  ['a secret is not told', differs({ environment: { AUTH_TTL: 'geheim' } }), 'warning', /^((?!geheim).)*$/],
  ['another image', differs({ image: 'gate:2' }), 'warning', /image gate:2 instead of gate:1/],
  ['an image that was built anew', differs({ imageId: 'i2' }), 'warning', /another image by now/],
  ['another port', differs({ hash: 'h2' }), 'warning', /ports, mounts or limits/],
  ['a Compose that says no hashes', differs({ hash: '' }), 'fine'],
  ['a part that is wanted no more', differs(undefined), 'warning', /wants? it no more/],
  [
    'a file that it has not read yet',
    differs({}, ago(1)),
    'warning',
    /user\.d\/x\.conf has changed since gate/,
  ],
  ['a file that it has read', differs({}, ago(100)), 'fine'],
  ['a log that is rotated', log({ 'max-size': '10m' }, 1000), 'fine'],
  ['a log without end', log({}, 1000), 'warning', /log of nginx grows without end/],
  ['one that is huge by now', log({}, 2 * 1024 ** 3), 'broken', /2 GiB/],
  ['rules in force', judgeAccess({ problems: [], state: { problems: [], inForce: true } }), 'fine'],
  [
    'rules that are wrong',
    judgeAccess({ problems: problem, state: { problems: [], inForce: true } }),
    'broken',
    /stays in force/,
  ],
  ['and nothing before', judgeAccess({ problems: problem, state: undefined }), 'broken', /nobody gets in/],
  [
    'users that are wrong',
    judgeAccess({ problems: [], state: { problems: problem, inForce: true } }),
    'broken',
    /access\.yaml:1/,
  ],
  ['no gate so far', judgeAccess({ problems: [], state: undefined }), 'warning'],
  [
    'a command that was cut off',
    judgeEntry('gc', { since: ago(60), step: 'Sweep' }),
    'warning',
    /^npm run gc began .*at "Sweep"$/,
  ],
  ['no rules for old tags', judgeRetention(undefined, 'retention.yaml', true), 'skipped'],
  ['rules that are gone', judgeRetention(undefined, 'retention.yaml', false), 'warning', /still follows/],
  ['rules for old tags', judgeRetention(RULES, 'retention.yaml', true), 'fine'],
  ['rules the daemon does not know', judgeRetention(RULES, 'retention.yaml', false), 'warning', /not follow/],
  [
    'such rules that are wrong',
    judgeRetention('nonsense: 1', 'retention.yaml', false),
    'broken',
    /retention\.yaml:1/,
  ],
  ['images', judgeFolder('registry/data', true, true), 'fine'],
  ['a disk that is not mounted', judgeFolder('/data', true, false), 'broken', /none now/],
  ['a mirror', judgeMirror({ own: 'a', upstream: 'b' }, { silence: undefined, upstream: undefined }), 'fine'],
  [
    'a mirror that is down',
    judgeMirror({ own: 'a', upstream: 'b' }, { silence: 'x', upstream: undefined }),
    'broken',
  ],
  [
    'an upstream that is away',
    judgeMirror({ own: 'a', upstream: 'b' }, { silence: undefined, upstream: 'is away' }),
    'warning',
  ],
])('%s', (_, finding, verdict, detail = /./) => {
  expect(finding.verdict).toBe(verdict);
  if (verdict !== 'fine') expect(finding.detail).toMatch(detail);
});

test('only what does not run is started by the doctor', () => {
  const start = async () => 'started';
  const judged = (condition: Condition | undefined) =>
    judgePart({ part: 'gate', condition, log: '' }, NOW, start);
  expect(judged(undefined).fix?.safe).toBe(start);
  expect(judged({ ...CONDITION, status: 'exited' }).fix?.safe).toBe(start);
  expect(judged({ ...CONDITION, health: 'unhealthy' }).fix?.safe).toBeUndefined();
});
