import { stripVTControlCharacters, styleText } from 'node:util';
import { describe, expect, test } from 'vitest';
import { aCertificate, aStatus, NOW, part, seenAs } from '../../test/support/a-status.ts';
import type { RepositoryUsage } from '../inventory/usage.ts';
import type { Status } from '../status/status.ts';
import { troublesOf } from '../status/troubles.ts';
import type { Page } from './page.ts';
import { statusScreen } from './status-screen.ts';

const GIB = 1024 ** 3;
const HOUR = 3_600_000;
const ago = (milliseconds: number) => new Date(NOW.getTime() - milliseconds);

const plain = (columns: number, rows?: number): Page => ({ columns, rows, style: (_, text) => text });
const screen = (change: Partial<Status>, page: Page = plain(80), all = false) => {
  const status = aStatus(change);
  return statusScreen(status, troublesOf(status), page, all);
};
const text = (...given: Parameters<typeof screen>) => screen(...given).join('\n');

/** So many repositories, each half as large as the one before. */
const storage = (count: number) =>
  seenAs({
    bytes: 20 * GIB,
    tags: 25 * count,
    repositories: Array.from({ length: count }, (_, index) => ({
      name: `team-${index}/app`,
      tags: 25,
      own: (8 * GIB) / 2 ** index,
      shared: index === 0 ? 2 * GIB : 0,
      untagged: index === 0 ? GIB : 0,
      damaged: 0,
    })),
  });

const aRepository = (change: Partial<RepositoryUsage>): RepositoryUsage => ({
  name: 'app',
  tags: 0,
  own: 0,
  shared: 0,
  untagged: 0,
  damaged: 0,
  ...change,
});

const events = Array.from({ length: 5 }, (_, index) => ({
  at: ago(index * 3 * HOUR),
  by: 'gc',
  kind: index === 1 ? ('trouble' as const) : ('done' as const),
  text: `number ${index} ${'and so on '.repeat(12)}`,
}));

const busy: Partial<Status> = {
  storage: storage(200),
  events,
  users: seenAs({
    users: 4,
    tokens: 9,
    expired: ['ci:aaaaaaaa', 'ci:bbbbbbbb'],
    expiring: [{ name: 'ci:cccccccc', expires: ago(-48 * HOUR) }],
    lastUse: { name: 'ci:dddddddd', at: ago(3 * HOUR) },
  }),
  forecast: { kind: 'full', at: ago(-100 * 24 * HOUR), perDay: GIB / 4 },
};

test('all that there is, at 80 columns', () => {
  expect(text({ ...busy, events: [] }, plain(80, 30))).toBe(
    `
  Registry       ✓ https://r.example
  Parts          ✓ nginx    running 3 days   ✓ gate     running 3 days
                 ✓ registry running 3 days   ✓ renewer  running 3 days
  Certificate    60 days left, by R11, for r.example, www.r.example
                 valid
  Users          4 users, 9 tokens, last used 3 hours ago (ci:dddddddd)
                 expired: ci:aaaaaaaa, ci:bbbbbbbb
                 expire soon: ci:cccccccc in 2 days
  Storage        20 GiB in 200 repositories, 5000 tags, 1 GiB without a tag
                 team-0/app   10 GiB    25 tags ██████████████████████████░░░░░░
                 team-1/app    4 GiB    25 tags █████████████
                 team-2/app    2 GiB    25 tags ██████
                 team-3/app    1 GiB    25 tags ███
                 team-4/app  512 MiB    25 tags ██
                 team-5/app  256 MiB    25 tags █
                 team-6/app  128 MiB    25 tags ▏
                 team-7/app   64 MiB    25 tags ▏
                 team-8/app   32 MiB    25 tags ▏
                 team-9/app   16 MiB    25 tags ▏
                 and 190 more: npm run status -- --all
  Disk           30 GiB free of 250 GiB; pushes are refused below 2 GiB
                 full on 9 October 2026, in 100 days, at 256 MiB more a day`.slice(1),
  );
});

describe.each([80, 100, 120, 200])('at %i columns', (columns) => {
  test.each([24, 30, 50])('it fits on %i rows, and no line is longer', (rows) => {
    const lines = screen({ ...busy, silence: '502 Bad Gateway' }, plain(columns, rows));
    expect(lines.length).toBeLessThan(rows + 1);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
  });
});

test('what is wrong comes first, and says what to do', () => {
  const parts = seenAs([part('nginx', 'running'), part('gate', 'stopped', { exitCode: 137 })]);
  const lines = screen({ parts, silence: 'connect ECONNREFUSED' });
  expect(lines[0]).toMatch(/^✗ https:\/\/r\.example does not answer: connect ECONNREFUSED → npm run doctor$/);
  expect(lines[1]).toMatch(/^✗ gate has not run since .* → docker compose up -d$/);
  expect(lines[2]).toBe('  Registry       ✗ https://r.example does not answer');
});

test('what to do stands on a line of its own where both do not fit on one', () => {
  const lines = screen({ parts: seenAs([part('gate', 'stopped', { exitCode: 137 })]) }, plain(80, 30));
  expect(lines[0]).toMatch(/^✗ gate has not run since .* \(exit code 137\)$/);
  expect(lines[1]).toBe('  → docker compose up -d');
});

test('colours say nothing that words do not', () => {
  const coloured: Page = {
    columns: 80,
    rows: 30,
    style: (style, of) => styleText(style, of, { validateStream: false }),
  };
  const change = { ...busy, silence: '502' };
  expect(stripVTControlCharacters(text(change, coloured))).toBe(text(change, plain(80, 30)));
  expect(text(change, coloured)).not.toBe(text(change, plain(80, 30)));
});

test('every repository, where that is wanted', () => {
  const lines = screen({ storage: storage(200) }, plain(80, 24), true);
  expect(lines.filter((line) => line.includes('25 tags'))).toHaveLength(200);
  expect(lines.join('\n')).not.toContain('more:');
});

test('on a page without an end no line is broken or cut', () => {
  expect(text({ events })).toContain(events[4]?.text);
});

test.each<[string, Partial<Status>, RegExp]>([
  [
    'a part that was started again',
    { parts: seenAs([part('relay', 'running', { restarts: 1 })]) },
    /relay running 3 days, 1 restart$/m,
  ],
  [
    'the engine is away',
    { parts: { kind: 'unseen', because: 'No engine answers.', remedy: undefined } },
    /Parts +can't be looked at: No engine/,
  ],
  [
    'a failed renewal',
    { certificate: aCertificate({ failure: 'the CA is away' }) },
    /3 failures in a row since .*: the CA is away/,
  ],
  [
    'no certificate',
    { certificate: aCertificate({ cause: 'missing', reason: 'there is none yet' }) },
    /Certificate +there is none yet$/m,
  ],
  ['none is wanted', { certificate: aCertificate({ none: true, reason: 'none' }) }, /Certificate +none$/m],
  ['no images', {}, /Storage +no images yet$/m],
  [
    'a repository of which nothing is left',
    { storage: seenAs({ bytes: 0, tags: 0, repositories: [aRepository({ name: 'moorage/proof' })] }) },
    /Storage +no images yet$/m,
  ],
  ['images that are still read', { storage: 'being-read' }, /Storage +being read …$/m],
  ['passwords by the registry', { auth: 'registry', access: seenAs(undefined) }, /by the registry itself/],
  ['a gate that has not looked', { access: seenAs(undefined) }, /the gate has not looked/],
  [
    'files of access that are wrong',
    { access: seenAs({ problems: [{ input: 'access.yaml:2', message: 'is wrong' }], inForce: true }) },
    /stays in force until this is mended:\n +access\.yaml:2: is wrong$/m,
  ],
  [
    'a mirror',
    { mirror: { at: 'm.example', of: 'https://hub', silence: undefined, upstream: undefined } },
    /Mirror +m\.example\n +https:\/\/hub answers$/m,
  ],
  ['too few samples', { forecast: { kind: 'unknown', because: 'too-few-days' } }, /not known yet/],
  [
    'a disk that gets emptier',
    { forecast: { kind: 'shrinking', perDay: -GIB } },
    /gets emptier, by 1 GiB a day/,
  ],
  [
    'a bucket',
    { forecast: undefined, disk: { kind: 'unwatched', because: 'STORAGE' } },
    /Disk +images are in a bucket$/m,
  ],
])('%s', (_, change, says) => {
  expect(text(change)).toMatch(says);
});

test('a bucket that is left out is no row', () => {
  expect(text({ storage: 'left-out' })).not.toContain('Storage');
});

test('an old place of the images is shown with what it takes and how it goes', () => {
  const oldPlaces = [{ folder: '/srv/old', to: '/srv/new', moved: NOW, bytes: 3 * GIB }];
  expect(text({ oldPlaces }, plain(120))).toContain(
    '/srv/old, where the images were before, still has 3 GiB (npm run storage -- drop-old)',
  );
});
