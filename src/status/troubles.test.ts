import { describe, expect, test } from 'vitest';
import { aCertificate, aStatus, NOW, part, seenAs } from '../../test/support/a-status.ts';
import type { PartState } from '../stack/parts.ts';
import type { Status } from './status.ts';
import { isWell, troublesOf } from './troubles.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;
const later = (milliseconds: number) => new Date(NOW.getTime() + milliseconds);

const told = (change: Partial<Status>) => {
  const troubles = troublesOf(aStatus(change));
  return troubles.map(({ severity, code, what, remedy }) => `${severity} ${code}: ${what} → ${remedy}`);
};

test('nothing is wrong', () => {
  expect(told({})).toEqual([]);
  expect(isWell([])).toBe(true);
});

const unwell: readonly [string, Partial<Status>, RegExp][] = [
  [
    'the registry is silent',
    { silence: '502 Bad Gateway' },
    /^broken registry-silent: https:\/\/r\.example does not answer: 502 .* → npm run doctor$/,
  ],
  [
    'a part has stopped',
    { parts: seenAs([part('gate', 'stopped', { exitCode: 137 })]) },
    /^broken part-stopped: gate has not run since 28 June .*\(exit code 137\) → docker compose up -d$/,
  ],
  [
    'a part is not there',
    { parts: seenAs([part('registry', 'missing')]) },
    /^broken part-missing: registry is not there → docker compose up -d$/,
  ],
  [
    'a part is not well',
    { parts: seenAs([part('registry', 'unhealthy')]) },
    /^broken part-unhealthy: .* → docker compose logs --tail 20 registry$/,
  ],
  [
    'a part ends again and again',
    { parts: seenAs([part('relay', 'restarting', { restarts: 7 })]) },
    /^broken part-restarting: relay .*7 times/,
  ],
  [
    'a part is paused',
    { parts: seenAs([part('nginx', 'paused')]) },
    /^broken part-paused: .*docker compose unpause nginx$/,
  ],
  [
    'the certificate is over',
    { certificate: aCertificate({ cause: 'expired', reason: 'it expired on 1 June 2026' }) },
    /^broken certificate-expired: .*expired on 1 June 2026 → npm run renew$/,
  ],
  [
    'there is no certificate',
    { certificate: aCertificate({ cause: 'missing', reason: 'there is no certificate yet' }) },
    /^broken certificate-missing/,
  ],
  [
    'the renewal is overdue',
    { certificate: aCertificate({ cause: 'due', reason: 'it is due', renewalDue: later(-2 * DAY) }) },
    /^broken renewal-overdue: the certificate is to be renewed: it is due → npm run renew$/,
  ],
  [
    'nobody gets in',
    { access: seenAs({ problems: [{ input: 'access.yaml:2', message: 'is wrong' }], inForce: false }) },
    /^broken access-files: access.yaml:2: is wrong; nobody gets in → mend the file$/,
  ],
  [
    'pushes are refused',
    { disk: { kind: 'low', free: GIB, size: 250 * GIB, mark: 2 * GIB } },
    /^broken disk-low: pushes are refused: only 1 GiB are free, below 2 GiB → npm run prune, then npm run gc$/,
  ],
  [
    'the mirror is silent',
    { mirror: { at: 'm.example', of: 'https://hub', silence: 'ECONNREFUSED', upstream: undefined } },
    /^broken mirror-silent: m\.example does not answer/,
  ],
  [
    'a command was interrupted',
    { underWay: [{ command: 'gc', since: later(-2 * HOUR), step: 'collect', atWork: false }] },
    /^broken gc-interrupted: gc was interrupted 2 hours ago at the step collect → npm run gc$/,
  ],
];

describe('what is broken', () => {
  test.each(unwell)('%s', (_, change, says) => {
    expect(told(change)).toEqual([expect.stringMatching(says)]);
    expect(isWell(troublesOf(aStatus(change)))).toBe(false);
  });
});

const worth: readonly [string, Partial<Status>, RegExp][] = [
  [
    'the engine can’t be asked',
    { parts: { kind: 'unseen', because: 'No engine answers.', remedy: 'Start it' } },
    /parts-unseen: No engine answers\. → Start it$/,
  ],
  [
    'the names are others',
    { certificate: aCertificate({ cause: 'names', reason: 'it does not name b' }) },
    /certificate-differs: .*does not name b/,
  ],
  [
    'renewals fail, and there is time',
    { certificate: aCertificate({ failure: 'the CA is away\nwith details' }) },
    /renewal-failing: renewing failed 3 times: the CA is away; next try 1 July 2026 13:00 UTC → npm run renew$/,
  ],
  [
    'files of access are wrong, but the old ones in force',
    {
      access: seenAs({
        problems: [
          { input: 'a', message: 'b' },
          { input: 'c', message: 'd' },
        ],
        inForce: true,
      }),
    },
    /access-files: a: b \(and 1 more\); what was right before/,
  ],
  [
    'the users can’t be read',
    { users: { kind: 'unseen', because: 'line 3', remedy: undefined } },
    /users-unseen: line 3 → mend the file$/,
  ],
  [
    'the disk is full next week',
    { forecast: { kind: 'full', at: later(7 * DAY), perDay: GIB } },
    /disk-full-soon: the disk is full on 8 July 2026/,
  ],
  [
    'images are damaged',
    {
      storage: seenAs({
        bytes: 1,
        tags: 1,
        repositories: ['a', 'b'].map((name) => ({
          name,
          tags: 1,
          own: 1,
          shared: 0,
          untagged: 0,
          damaged: 2,
        })),
      }),
    },
    /damaged: 4 manifests can't be read, in a and 1 more → npm run doctor$/,
  ],
  [
    'the bucket is away',
    { storage: { kind: 'unseen', because: 'no answer', remedy: 'Check it' } },
    /storage-unseen: no answer → Check it$/,
  ],
  [
    'the upstream is away',
    { mirror: { at: 'm', of: 'https://hub', silence: undefined, upstream: 'does not answer' } },
    /upstream: https:\/\/hub does not answer/,
  ],
  [
    'a command is at work',
    { underWay: [{ command: 'gc', since: later(-2 * HOUR), step: '', atWork: true }] },
    /gc-at-work: gc has been at work for 2 hours/,
  ],
];

describe('what needs attention, and nothing is broken yet', () => {
  test.each(worth)('%s', (_, change, says) => {
    expect(told(change)).toEqual([expect.stringMatching(/^attention /)]);
    expect(told(change)[0]).toMatch(says);
    expect(isWell(troublesOf(aStatus(change)))).toBe(true);
  });
});

test.each<[string, Partial<Status>]>([
  ['a part starts', { parts: seenAs([part('gate', 'starting')]) }],
  [
    'a renewal is due since some minutes',
    { certificate: aCertificate({ cause: 'due', reason: 'due', renewalDue: later(-HOUR) }) },
  ],
  ['no certificate is wanted', { certificate: aCertificate({ none: true }) }],
  ['the disk is full in a month', { forecast: { kind: 'full', at: later(30 * DAY), perDay: GIB } }],
  [
    'images are in a bucket, which is not read',
    { storage: 'left-out', forecast: undefined, disk: { kind: 'unwatched', because: 'STORAGE' } },
  ],
])('all is well while %s', (_, change) => {
  expect(told(change)).toEqual([]);
});

test('parts that are down together are one trouble', () => {
  const parts = ['nginx', 'gate'].map((name) => part(name, 'missing'));
  const stopped = ['registry', 'renewer'].map((name) => part(name, 'stopped', { exitCode: 0 }));
  expect(told({ parts: seenAs([...parts, ...stopped]) })).toEqual([
    'broken part-missing: nginx and gate are not there → docker compose up -d',
    'broken part-stopped: registry and renewer do not run → docker compose up -d',
  ]);
});

test('what is broken comes first', () => {
  const both = {
    forecast: { kind: 'full', at: later(DAY), perDay: GIB },
    underWay: unwell.at(-1)?.[1].underWay ?? [],
  } as const;
  expect(troublesOf(aStatus(both)).map(({ severity }) => severity)).toEqual(['broken', 'attention']);
});

const move = { kind: 'gone', id: 'a', other: 'root@new', folder: '/srv/moorage', since: NOW } as const;

test('one that has moved is well, and says where it went', () => {
  expect(troublesOf(aStatus({ move }))).toMatchObject([
    { severity: 'attention', code: 'moved', what: expect.stringContaining('root@new') },
  ]);
});

test('once it was stopped for good nothing is missed; while it only moved all parts are', () => {
  const parts = (...conditions: readonly PartState['condition'][]) =>
    seenAs(conditions.map((condition) => part('nginx', condition)));
  const codes = (status: Partial<Status>) =>
    troublesOf(aStatus({ move, silence: 'ECONNREFUSED', ...status })).map(({ code }) => code);
  expect(codes({ parts: parts('stopped', 'missing') })).toEqual(['moved']);
  expect(codes({ parts: parts('running', 'stopped') })).toEqual(['registry-silent', 'part-stopped', 'moved']);
});

test('what is on its way here is told as such', () => {
  const found = troublesOf(aStatus({ move: { ...move, kind: 'coming' } }));
  expect(found).toMatchObject([{ severity: 'attention', code: 'moving-here' }]);
});
