import { expect, test } from 'vitest';
import { folded, nameOf } from './names.ts';

test('many of one folder are counted, few and those of no folder are named', () => {
  const many = ['ca', 'tls', 'gate', 'usage.jsonl'].map((name) => `/srv/moorage/var/${name}`);
  const images = ['moorage/a:1', 'moorage/b:1', 'moorage/c:1', 'moorage/d:1'];
  expect(folded([...many, '/tmp/one'])).toEqual(['4 entries of /srv/moorage/var', '/tmp/one']);
  expect(folded(many.slice(1))).toEqual(many.slice(1));
  expect(folded(images)).toEqual(images);
});

test('a file that only a line was put into is not said to go', () => {
  const made = { kind: 'made', purpose: 'trust' } as const;
  expect(nameOf({ ...made, name: '/etc/hosts', line: true })).toBe('what was put into /etc/hosts');
  expect(nameOf({ ...made, name: '/etc/ca.crt' })).toBe('/etc/ca.crt');
});
