import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WrongInput } from '../errors.ts';
import { paths } from '../paths.ts';
import { formatGrant } from './grant.ts';
import { type Policy, parsePolicy } from './policy.ts';

const WHOLE = `# the team
users:
  ada: [admin]
  bob: [push:team/**, pull:base/*]
  123: # a name, not a number
    - pull
groups:
  developers:
    members: [bob, eve]
    allow: [delete:team/scratch/**]
everyone: [pull:base/**]
anonymous: [pull:public/**]
immutable: ['team/**:v*', base/go:1.*]
`;

test('every section is read, and a group’s rights are its members’', () => {
  expect(written(parsePolicy(WHOLE, 'access.yaml'))).toEqual({
    users: {
      ada: ['admin'],
      bob: ['push:team/**', 'pull:base/*', 'delete:team/scratch/**'],
      123: ['pull'],
      eve: ['delete:team/scratch/**'],
    },
    everyone: ['pull:base/**'],
    anonymous: ['pull:public/**'],
  });
  expect(parsePolicy(WHOLE, 'access.yaml').immutable).toHaveLength(2);
});

test('the example is a policy', async () => {
  const example = await readFile(join(paths().root, 'registry/auth/access.yaml.example'), 'utf8');
  expect(written(parsePolicy(example, 'access.yaml.example')).users).toMatchObject({ admin: ['admin'] });
});

test('a section without a line is empty: its lines may be comments', () => {
  expect(written(parsePolicy('users:\n  # ada: [admin]\neveryone:\nanonymous: []\n', 'f'))).toEqual({
    users: {},
    everyone: [],
    anonymous: [],
  });
});

test.each([
  ['', 1, 'says nothing'],
  ['# only words\n', 1, 'says nothing'],
  ['---\n', 1, 'says nothing'],
  ['users: {}\nroles: {}', 2, 'roles is not known here; there is users, groups'],
  ['users: [ada]', 1, 'of another shape; right would be `ada: [push:team/**]`'],
  ['users:\n  ada: admin', 2, 'right would be a list of ROLE:PATTERN'],
  ['users:\n  ada: [write]', 2, 'write is not allowed here: a role is one of'],
  ['users:\n  ada:\n    - pull\n    - push: team', 4, 'of another shape'],
  ['users:\n  ada: [pull]\n  ada: [push]', 3, 'is there twice'],
  ['users: {}\nusers: {}', 2, 'is there twice'],
  ['users:\n  "a:b": [pull]', 2, 'colon'],
  ['users:\n  ? [a]\n  : [pull]', 2, 'of another shape'],
  ['groups:\n  team:\n    members: [a]', 3, 'team has no allow'],
  ['groups:\n  team:\n    allow: [pull]', 3, 'team has no members'],
  ['groups:\n  team:\n    members: [a]\n    allow: [pull]\n    deny: [push]', 5, 'deny is not known'],
  ['everyone: [pull:Team]', 1, 'lower case'],
  ['anonymous: [pull:public/**, push:public/**]', 1, 'without a login one may only pull'],
  ['anonymous: [admin]', 1, 'only pull'],
  ['immutable: [team]', 1, 'not REPOSITORY:TAG'],
  ['immutable: [a:b:c]', 1, 'not REPOSITORY:TAG'],
  ['immutable: [a:v/1]', 1, 'no tag has "/"'],
  ['users: {}\nimmutable:\n  - **:v*', 3, '**:v* needs quotes'],
  ['users:\n  ada: &all [pull]\n  bob: *all', 3, '*all needs quotes'],
  ['users:\n  ada: [pull', 2, 'not YAML'],
  ['users:\n\tada: [pull]', 2, 'not YAML'],
  ['users: !!js/function x', 1, 'not YAML'],
  ['users: {}\n---\nusers: {}', 2, 'not YAML'],
  ['users: {}\n# \uFFFD', 2, 'not UTF-8'],
  ['just words', 1, 'right would be a map'],
])('%j is refused by its line, %i: %s', (text, line, reason) => {
  const problems = problemsOf(text);
  expect(problems[0]?.input).toBe(`access.yaml:${line}`);
  expect(problems[0]?.message).toContain(reason);
});

test('every problem is told, from the first line to the last', () => {
  const text = 'immutable: [team]\nusers:\n  ada: [write, pull:A]\n  ada: []\nrole: x\n';
  expect(problemsOf(text).map(({ input }) => input)).toEqual(
    [1, 3, 3, 4, 5].map((line) => `access.yaml:${line}`),
  );
});

test('whatever the text, it is a policy or it is told what is wrong', () => {
  const piece = fc.constantFrom(
    'users:',
    '\n',
    '  ',
    'ada',
    ': ',
    '[',
    ']',
    '- ',
    '*',
    '&a',
    '"',
    '#',
    '{',
    '}',
    '!',
    '|',
    '?',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        try {
          parsePolicy(text, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(WrongInput);
        }
      },
    ),
  );
});

test.each(['[', '{', '- ', 'users: '])('%s without an end is refused, not a crash', (text) => {
  expect(problemsOf(text.repeat(20_000)).length).toBeGreaterThan(0);
});

function problemsOf(text: string) {
  try {
    parsePolicy(text, 'access.yaml');
  } catch (error) {
    if (error instanceof WrongInput) return error.problems;
    throw error;
  }
  return [];
}

function written({ users, everyone, anonymous }: Policy) {
  return {
    users: Object.fromEntries([...users].map(([name, grants]) => [name, grants.map(formatGrant)])),
    everyone: everyone.map(formatGrant),
    anonymous: anonymous.map(formatGrant),
  };
}
