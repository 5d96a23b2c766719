import { expect, test } from 'vitest';
import { type Action, formatGrant, type Grant, grants, parseGrant } from './grant.ts';

const ACTIONS: readonly Action[] = ['pull', 'push', 'delete', 'admin'];

test.each([
  ['pull', ['pull']],
  ['push', ['pull', 'push']],
  ['delete', ['pull', 'delete']],
  ['admin', ['pull', 'push', 'delete', 'admin']],
])('%s includes %j', (role, included) => {
  const grant = granted(`${role}:team/*`);
  expect(ACTIONS.filter((action) => grants(grant, action, 'team/app'))).toEqual(included);
  expect(ACTIONS.filter((action) => grants(grant, action, 'other/app'))).toEqual([]);
});

test('a role alone is that role in every repository, and written as such', () => {
  expect(grants(granted('pull'), 'pull', 'a/b/c')).toBe(true);
  expect(formatGrant(granted('pull:**'))).toBe('pull');
  expect(formatGrant(granted('push:team/**'))).toBe('push:team/**');
});

test.each([
  ['', 'one of pull, push, delete, admin'],
  ['write:team', 'one of pull'],
  ['constructor:a', 'one of pull'],
  ['Push:team', 'written push'],
  ['push :team', 'written push'],
  ['push:', 'no pattern'],
  ['push: team', '" "'],
  ['push:a:b', '":"'],
  ['push:Team', 'lower case'],
])('%j is no grant: %s', (text, reason) => {
  expect(parseGrant(text)).toContain(reason);
});

function granted(text: string): Grant {
  const grant = parseGrant(text);
  if (typeof grant === 'string') throw new Error(grant);
  return grant;
}
