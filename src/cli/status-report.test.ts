import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { statusReport } from './status-report.ts';

const outlook = { decision: { kind: 'none', reason: 'valid' } } as const;
const fine = { silence: undefined, outlook, access: { problems: [], inForce: true } };
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
])('what is not: %j', async (change, line, says) => {
  expect((await report(change))[line]).toMatch(says);
});

test('with AUTH=registry there is no gate to have a state', async () => {
  expect((await report({}, 'registry')).Access).toContain('by the registry itself');
});
