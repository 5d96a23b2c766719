import { describe, expect, test } from 'vitest';
import {
  daysAgo,
  digest,
  inventory,
  NOW,
  repository,
  retention,
  rule,
} from '../../test/support/inventories.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { type Circumstances, planRetention } from './plan.ts';
import type { Rule } from './rules.ts';

const facts: Circumstances = { now: NOW, remembered: [], immutable: () => false };
const hex = (name: string) => digest(name).slice('sha256:'.length);

/** Tags that go and untagged manifests that go, by repository. */
function goes(found: Inventory, rules: readonly Rule[], circumstances = facts) {
  const plan = planRetention(found, retention(...rules), circumstances);
  return Object.fromEntries(
    plan.repositories.map(({ name, going, untagged }) => [
      name,
      [...going.map(({ tag }) => tag), ...untagged.map((each) => each.digest)].sort(),
    ]),
  );
}

const five = repository(
  'team/app',
  { v1: ['a', 50], v2: ['b', 40], v3: ['c', 30], dev: ['d', 20], latest: ['e', 10] },
  { a: {}, b: {}, c: {}, d: {}, e: {} },
);

describe('tags', () => {
  test.each<[string, Rule[], string[]]>([
    ['the last pushed are kept', [rule({ last: 2 })], ['v1', 'v2', 'v3']],
    ['those of the last days are kept', [rule({ days: 31 })], ['v1', 'v2']],
    ['a day is over when it is over', [rule({ days: 30 })], ['v1', 'v2', 'v3']],
    ['those named are kept', [rule({ keep: ['v*'] })], ['dev', 'latest']],
    ['any part of a rule keeps', [rule({ last: 1, days: 21, keep: ['v1'] })], ['v2', 'v3']],
    ['any rule keeps', [rule({ last: 1 }), rule({ keep: ['v2'] })], ['dev', 'v1', 'v3']],
    ['more than there are keeps all', [rule({ last: 99 })], []],
  ])('%s', (_, rules, expected) => {
    expect(goes(inventory(five), rules)).toEqual({ 'team/app': expected });
  });

  test('a repository that no rule names is not in the plan', () => {
    const other = repository('other', { old: ['a', 500] }, { a: {} });
    expect(goes(inventory(five, other), [rule({ repo: 'team/*', last: 5 })])).toEqual({ 'team/app': [] });
  });

  test('what is Moorage’s own is left alone', () => {
    const own = repository('moorage/proof', { old: ['a', 500], proof: ['b', 400] }, { a: {}, b: {} });
    expect(goes(inventory(own), [rule({ last: 1 })])).toEqual({});
  });

  test('immutable ones stay', () => {
    const immutable = (name: string, tag: string) => name === 'team/app' && tag === 'v1';
    expect(goes(inventory(five), [rule({ last: 3 })], { ...facts, immutable })).toEqual({
      'team/app': ['v2'],
    });
  });

  test('one that shares its digest goes alone, and frees nothing', () => {
    const shared = repository('app', { v1: ['a', 50], stable: ['a', 40] }, { a: {} });
    const plan = planRetention(inventory(shared), retention(rule({ last: 1 })), facts);
    expect(plan).toMatchObject({
      bytes: 0,
      repositories: [{ going: [{ tag: 'v1', bytes: 0 }], untagged: [] }],
    });
  });
});

describe('what belongs together', () => {
  const multi = repository(
    'app',
    { old: ['old index', 50], new: ['new index', 5], [`sha256-${hex('old arm')}.sig`]: ['signature', 1] },
    {
      'old index': { children: ['old arm', 'shared'], age: 50 },
      'new index': { children: ['new arm', 'shared'], age: 5 },
      'old arm': {},
      'new arm': {},
      shared: {},
      signature: { age: 1 },
      sbom: { subject: 'old index' },
      'new sbom': { subject: 'new arm' },
    },
  );

  test('an index goes with its manifests and all that is about them, but for what another needs', () => {
    const plan = planRetention(inventory(multi), retention(rule({ last: 1 })), facts);
    expect(plan.repositories[0]?.going.map(({ tag }) => tag)).toEqual([
      `sha256-${hex('old arm')}.sig`,
      'old',
    ]);
    expect(plan.repositories[0]?.untagged).toEqual([]);
    // old index, old arm, signature and sbom: four manifests and three layers.
    expect(plan.bytes).toBe(4 * 10 + 3 * 100);
  });

  test('signatures are not counted, and stay with their image', () => {
    const signed = repository(
      'app',
      {
        v1: ['a', 50],
        v2: ['b', 40],
        [`sha256-${hex('b')}.sig`]: ['s', 1],
        [`sha256-${hex('b')}`]: ['referrers', 1],
        [`sha256-${hex('a')}.att`]: ['t', 1],
      },
      { a: {}, b: {}, s: {}, t: {}, referrers: { children: ['r'] }, r: { subject: 'b' } },
    );
    expect(goes(inventory(signed), [rule({ last: 1 })])).toEqual({
      app: [`sha256-${hex('a')}.att`, 'v1'],
    });
  });

  test('signatures of nothing stay while their image may be on its way', () => {
    const orphans = repository(
      'app',
      { [`sha256-${hex('x')}.sig`]: ['s', 1], [`sha256-${hex('y')}.sig`]: ['t', 9] },
      { s: {}, t: {} },
    );
    expect(goes(inventory(orphans), [rule({ last: 1 })])).toEqual({ app: [`sha256-${hex('y')}.sig`] });
  });
});

describe('manifests without a tag', () => {
  const untagged = repository(
    'app',
    { latest: ['c', 1] },
    { a: { age: 30 }, b: { age: 3 }, c: {}, young: { age: 2, children: ['child'] }, child: { age: 20 } },
  );

  test('go when they are old, and nothing that stays needs them', () => {
    expect(goes(inventory(untagged), [rule({ last: 1 })])).toEqual({ app: [digest('a')] });
    expect(goes(inventory(untagged), [rule({ last: 1, untagged: 0 })]).app).toHaveLength(4);
  });

  test('the longest of several rules counts', () => {
    const rules = [rule({ last: 1, untagged: 0 }), rule({ last: 1, untagged: 31 })];
    expect(goes(inventory(untagged), rules)).toEqual({ app: [] });
  });

  test('stay where something can’t be read, which may need them', () => {
    const damaged = repository('app', { latest: ['c', 1], bad: ['x', 99] }, { a: { age: 30 }, c: {} }, ['x']);
    const plan = planRetention(inventory(damaged), retention(rule({ last: 1 })), facts);
    expect(plan.repositories[0]).toMatchObject({
      going: [],
      untagged: [],
      damaged: ['bad (tag)', digest('x')],
      staying: [{ tag: 'latest' }, { tag: 'bad', because: [{ kind: 'damaged' }] }],
    });
  });
});

test('bytes that another repository needs are not freed', () => {
  const one = repository('one', { old: ['a', 50], new: ['b', 1] }, { a: { layers: ['x', 'y'] }, b: {} });
  const other = repository('other', { v1: ['c', 50] }, { c: { layers: ['x'] } });
  const plan = planRetention(inventory(one, other), retention(rule({ repo: 'one', last: 1 })), facts);
  expect(plan.bytes).toBe(10 + 100);
});

test('what was removed before is neither planned nor counted again, unless it was pushed again', () => {
  const one = repository('one', { new: ['b', 1] }, { a: { age: 50 }, again: { age: 30 }, b: {} });
  const entry = { run: '1', at: daysAgo(40), repository: 'one', until: daysAgo(-1) };
  const remembered = [
    { ...entry, tag: 'old', digest: digest('a'), pushed: daysAgo(50) },
    { ...entry, tag: 'older', digest: digest('again'), pushed: daysAgo(60) },
  ];
  const plan = planRetention(inventory(one), retention(rule({ last: 1 })), { ...facts, remembered });
  expect(plan).toMatchObject({
    bytes: 110,
    repositories: [{ going: [], untagged: [{ digest: digest('again') }] }],
  });
});
