import { expect, test } from 'vitest';
import { daysAgo, digest, inventory, NOW, repository } from '../../test/support/inventories.ts';
import { expired } from './expired.ts';
import type { Remembered } from './pruned.ts';

const entry = (name: string, parts: Partial<Remembered> = {}): Remembered => ({
  run: '1',
  at: daysAgo(8),
  repository: 'app',
  digest: digest(name),
  pushed: daysAgo(100),
  until: daysAgo(1),
  ...parts,
});
const goes = (found: ReturnType<typeof expired>) => found.manifests.map((each) => each.digest);

test('what is over goes, an index before its manifests', () => {
  const found = inventory(repository('app', {}, { index: { children: ['a', 'b'] }, a: {}, b: {} }));
  const over = expired(found, [entry('a'), entry('b'), entry('index')], { now: NOW });
  expect(goes(over)[0]).toBe(digest('index'));
  expect(goes(over).toSorted()).toEqual(['a', 'b', 'index'].map(digest).toSorted());
  expect(over.over).toHaveLength(3);
});

test.each([
  ['its days are not over', {}, [entry('a', { until: daysAgo(-1) })]],
  ['a tag leads to it again', { v1: ['a', 1] }, [entry('a')]],
  ['an index needs it that a tag leads to', { v1: ['index', 1] }, [entry('a')]],
  ['an index needs it that was never given up', {}, [entry('a')]],
  ['its subject stays', {}, [entry('about')]],
  ['another removed tag may bring it back', {}, [entry('a'), entry('a', { tag: 'v1', until: daysAgo(-1) })]],
  ['it was pushed again since', {}, [entry('young')]],
] as const)('it stays where %s', (_, tags, remembered) => {
  const manifests = { index: { children: ['a'] }, a: {}, about: { subject: 'index' }, young: { age: 2 } };
  const lone = { a: {}, young: { age: 2 } };
  const whole = _.startsWith('an index') || _.startsWith('its subject');
  const found = inventory(repository('app', tags, whole ? manifests : lone));
  expect(goes(expired(found, remembered, { now: NOW }))).toEqual([]);
});

test('where something can’t be read all stays, and is not forgotten', () => {
  const found = inventory(repository('app', {}, { a: {} }, ['x']), repository('other', {}, { b: {} }));
  const over = expired(found, [entry('a'), entry('b', { repository: 'other' })], { now: NOW });
  expect(over).toMatchObject({ manifests: [{ repository: 'other' }], unclear: ['app'] });
  expect(over.over.map(({ repository: name }) => name)).toEqual(['other']);
});

test('entries of a repository that is gone are over', () => {
  expect(expired(inventory(), [entry('a')], { now: NOW })).toMatchObject({ manifests: [], over: [{}] });
});
