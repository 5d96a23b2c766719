import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wrongInput } from '../../test/support/wrong-input.ts';
import { paths } from '../paths.ts';
import { parseRetention } from './retention-file.ts';
import { rulesFor } from './rules.ts';

const parse = (text: string) => parseRetention(text, 'retention.yaml');

test('a file of rules is read, and each rule is named by its line', () => {
  const retention = parse(
    "# what stays\nundo-days: 14\nrules:\n  - repo: ['team/**', tools]\n    keep-last: 10\n    keep-days: 30\n    keep: ['v*', latest]\n    untagged-days: 0\n  - { repo: '**', keep: v1 }\n",
  );
  expect(retention).toMatchObject({
    undoDays: 14,
    rules: [
      {
        name: 'retention.yaml:4',
        last: 10,
        days: 30,
        untaggedDays: 0,
        tags: [{ text: 'v*' }, { text: 'latest' }],
      },
      { name: 'retention.yaml:9', last: undefined, days: undefined, untaggedDays: 7 },
    ],
  });
  expect(rulesFor(retention, 'tools').map(({ name }) => name)).toEqual([
    'retention.yaml:4',
    'retention.yaml:9',
  ]);
  expect(rulesFor(retention, 'other')).toHaveLength(1);
});

test('the example in the documentation is a file of rules', async () => {
  const page = await readFile(join(paths().root, 'docs/clean-up.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(parse(example).rules.length).toBeGreaterThan(1);
});

test.each([
  ['', /:1: has no rule/],
  ['rules: []', /:1: has no rule/],
  ['rules: 3', /:1: is of another shape; right would be a list of rules/],
  ['rules:\n  - nonsense', /:2: is of another shape/],
  ['rules:\n  - { keep-last: 3 }', /:2: names no repo/],
  ["rules:\n  - { repo: '**' }", /:2: keeps nothing/],
  ["rules:\n  - { repo: '**', keep: [] }", /:2: says nothing; right would be patterns of tags/],
  ['rules:\n  - { repo: **, keep-last: 1 }', /:2: .*YAML|quotes/],
  ['rules:\n  - { repo: Team, keep-last: 1 }', /:2: Team is no pattern here: a repository is in lower case/],
  ["rules:\n  - { repo: a, keep: ['a/b'] }", /:2: a\/b is no pattern here: no tag has/],
  ['rules:\n  - { repo: a, keep-last: 0 }', /:2: keep-last: "0" is no whole number from 1/],
  ['rules:\n  - { repo: a, keep-days: 1.5 }', /:2: keep-days: "1\.5" is no whole number/],
  ['rules:\n  - { repo: a, keep-last: [1, 2] }', /:2: keep-last: has to be one number/],
  ['rules:\n  - { repo: a, keep-last: }', /:2: keep-last: has to be one number/],
  ['undo-days: -1\nrules:\n  - { repo: a, keep-last: 1 }', /:1: undo-days: "-1"/],
  [
    'rule:\n  - { repo: a, keep-last: 1 }',
    /:1: has no rule[\s\S]*rule is not known here; there is rules, undo-days/,
  ],
  ['rules:\n  - { repo: a, keep-last: 1, keep-last: 2 }', /:2: keep-last is there twice/],
  ['rules: [', /:1: is not YAML/],
])('%j is refused with its line and what would be right', async (text, reason) => {
  expect(await wrongInput(Promise.resolve().then(() => parse(text)))).toMatch(reason);
});

test('all that is wrong is told at once', async () => {
  const told = await wrongInput(
    Promise.resolve().then(() => parse('undo-days: x\nrules:\n  - keep-last: y\n  - repo: A\n')),
  );
  expect(told.match(/retention\.yaml:\d+/g)).toEqual([
    'retention.yaml:1',
    'retention.yaml:3',
    'retention.yaml:3',
    'retention.yaml:4',
    'retention.yaml:4',
  ]);
});
