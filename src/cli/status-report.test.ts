import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { statusReport } from './status-report.ts';

const outlook = { decision: { kind: 'none', reason: 'valid' } } as const;
const GIB = 1024 ** 3;
const disk = { kind: 'enough', free: 30 * GIB, size: 250 * GIB, mark: 2 * GIB } as const;
const fine = { silence: undefined, outlook, access: { problems: [], inForce: true }, disk };
const wrong = [{ input: 'access.yaml:2', message: 'is wrong' }];

const report = async (change: Partial<Parameters<typeof statusReport>[1]>, AUTH = 'gate') =>
  Object.fromEntries(
    statusReport(await loadSettings({ ...paths(), envFile: '/nowhere' }, { AUTH }), { ...fine, ...change }),
  );

test('all is well', async () => {
  expect(await report({})).toEqual({
    Registry: 'https://localhost',
    Certificate: 'valid',
    Access: 'users, roles and tokens as in their files',
    Disk: '30 GiB free of 250 GiB; pushes are refused below 2 GiB',
  });
});

test.each([
  [
    { silence: '503 the gate does not answer' },
    'Registry',
    /^https:\/\/localhost does not answer: 503 the gate/,
  ],
  [{ access: { problems: wrong, inForce: true } }, 'Access', /stays in force .*:\naccess.yaml:2: is wrong$/],
  [
    { access: { problems: wrong, inForce: false } },
    'Access',
    /^nobody gets in .*:\naccess.yaml:2: is wrong$/,
  ],
  [{ access: undefined }, 'Access', /not looked/],
  [
    { disk: { ...disk, kind: 'low', free: GIB } as const },
    'Disk',
    /^only 1 GiB free of 250 GiB: pushes are refused below 2 GiB, and taken again from 2\.2 GiB on$/,
  ],
  [{ disk: { kind: 'unknown', because: 'EIO' } as const }, 'Disk', /can't be looked at: EIO/],
  [{ disk: { kind: 'unwatched', because: 'DISK_RESERVE' } as const }, 'Disk', /DISK_RESERVE is 0/],
  [{ disk: { kind: 'unwatched', because: 'STORAGE' } as const }, 'Disk', /^images are in a bucket$/],
])('what is not: %j', async (change, line, says) => {
  expect((await report(change))[line]).toMatch(says);
});

test('with AUTH=registry there is no gate to have a state', async () => {
  const said = await report({ disk: { kind: 'unwatched', because: 'AUTH' } }, 'registry');
  expect(said.Access).toContain('by the registry itself');
  expect(said.Disk).toContain('AUTH=gate');
});
