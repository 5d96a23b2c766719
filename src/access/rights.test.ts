import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Action, formatGrant, type Grant, parseGrant } from './grant.ts';
import { OPEN_POLICY, type Policy, parsePolicy } from './policy.ts';
import { isImmutable, may, rightsOf, type Who } from './rights.ts';

const ACTIONS: readonly Action[] = ['pull', 'push', 'delete', 'admin'];
const ANONYMOUS: Who = { kind: 'anonymous' };
const user = (name: string, ...only: string[]): Who =>
  only.length === 0 ? { kind: 'user', name } : { kind: 'user', name, only: only.map(granted) };

const policy = parsePolicy(
  `users:
  ada: [admin]
  bob: [push:team/**]
groups:
  cleaners: { members: [bob], allow: [delete:team/scratch] }
everyone: [pull:base/**]
anonymous: [pull:public/**]
immutable: ['team/**:v*', 'moorage/**:*']
`,
  'access.yaml',
);

test.each<[string, Policy, Who, string, readonly Action[]]>([
  ['without a file every user may do everything', OPEN_POLICY, user('eve'), 'a/b', ACTIONS],
  ['without a file nobody else may do anything', OPEN_POLICY, ANONYMOUS, 'a/b', []],
  ['an admin may do everything', policy, user('ada'), 'x', ACTIONS],
  ['a role counts where its pattern leads', policy, user('bob'), 'team/app', ['pull', 'push']],
  ['and nowhere else', policy, user('bob'), 'team', []],
  ['a group adds to it', policy, user('bob'), 'team/scratch', ['pull', 'push', 'delete']],
  ['who is not named has what everyone has', policy, user('eve'), 'base/go', ['pull']],
  ['who is not named has no more', policy, user('eve'), 'team/app', []],
  ['a stranger may not what everyone may', policy, ANONYMOUS, 'base/go', []],
  ['a stranger may pull what is public', policy, ANONYMOUS, 'public/x', ['pull']],
  ['what needs no login is open to a user', policy, user('eve'), 'public/x', ['pull']],
  ['and to a token made for something else', policy, user('eve', 'push:team/app'), 'public/x', ['pull']],
  [
    'a token has what its user has and its grants say',
    policy,
    user('bob', 'push:team/app'),
    'team/app',
    ['pull', 'push'],
  ],
  ['less than its user', policy, user('bob', 'pull'), 'team/app', ['pull']],
  ['and never more', policy, user('bob', 'admin'), 'team/app', ['pull', 'push']],
  ['a name of an object’s insides is no user', policy, user('__proto__'), 'team/app', []],
  ['the prover has its place', policy, user('moorage-proof'), 'moorage/proof', ['pull', 'push', 'delete']],
  [
    'the prover has it without a file',
    OPEN_POLICY,
    user('moorage-proof'),
    'moorage/proof',
    ['pull', 'push', 'delete'],
  ],
  ['and nothing besides', OPEN_POLICY, user('moorage-proof'), 'moorage/proof/x', []],
  ['the doctor has its own', policy, user('moorage-doctor'), 'moorage/doctor', ['pull', 'push', 'delete']],
  ['and not the prover’s', OPEN_POLICY, user('moorage-doctor'), 'moorage/proof', []],
])('%s', (_, rules, who, repository, allowed) => {
  expect(ACTIONS.filter((action) => may(rules, who, action, repository))).toEqual(allowed);
});

test('a tag is immutable when repository and tag are meant, but never the prover’s', () => {
  expect(isImmutable(policy, 'team/app', 'v1')).toBe(true);
  expect(isImmutable(policy, 'team/app', 'latest')).toBe(false);
  expect(isImmutable(policy, 'other/app', 'v1')).toBe(false);
  expect(isImmutable(policy, 'moorage/proof', 'proof')).toBe(false);
  expect(isImmutable(OPEN_POLICY, 'team/app', 'v1')).toBe(false);
});

test('what a user may is listed once each: by name, by group, as everyone', () => {
  expect(rightsOf(policy, 'bob')).toEqual(['push:team/**', 'delete:team/scratch', 'pull:base/**']);
  expect(rightsOf(policy, 'eve')).toEqual(['pull:base/**']);
  expect(rightsOf(OPEN_POLICY, 'eve')).toEqual(['admin']);
});

const repository = fc.constantFrom('a', 'b', 'a/b', 'a/b/c', 'moorage/proof');
const grant = fc
  .tuple(fc.constantFrom(...ACTIONS), fc.constantFrom('**', 'a', 'a/*', 'a/**', '*/b', '*'))
  .map(([role, pattern]) => granted(`${role}:${pattern}`));
const list = fc.array(grant, { maxLength: 3 });
const names = fc.constantFrom('ada', 'bob', 'moorage-proof');
const someone: fc.Arbitrary<Who> = fc.oneof(
  fc.constant(ANONYMOUS),
  names.map((name) => user(name)),
  fc.tuple(names, list).map(([name, only]): Who => ({ kind: 'user', name, only })),
);

test('one grant more never takes a right away, wherever it is given', () => {
  const places = fc.constantFrom('users', 'everyone', 'anonymous');
  fc.assert(
    fc.property(
      list,
      list,
      list,
      grant,
      places,
      someone,
      repository,
      (ada, everyone, anonymous, more, place, who, where) => {
        const given = (to: string, all: readonly Grant[]) => (place === to ? [...all, more] : all);
        const before: Policy = { users: new Map([['ada', ada]]), everyone, anonymous, immutable: [] };
        const after: Policy = {
          users: new Map([['ada', given('users', ada)]]),
          everyone: given('everyone', everyone),
          anonymous: given('anonymous', anonymous),
          immutable: [],
        };
        for (const action of ACTIONS)
          if (may(before, who, action, where))
            expect(may(after, who, action, where), formatGrant(more)).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});

test('who may push, delete or administrate may pull, and a token has no right that its user lacks', () => {
  fc.assert(
    fc.property(list, list, list, someone, repository, (ada, everyone, anonymous, who, where) => {
      const rules: Policy = { users: new Map([['ada', ada]]), everyone, anonymous, immutable: [] };
      for (const action of ACTIONS) {
        if (!may(rules, who, action, where)) continue;
        expect(may(rules, who, 'pull', where)).toBe(true);
        if (who.kind === 'user') expect(may(rules, user(who.name), action, where)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

function granted(text: string): Grant {
  const parsed = parseGrant(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}
