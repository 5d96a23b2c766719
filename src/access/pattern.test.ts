import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compileRepositoryPattern,
  compileTagPattern,
  repositoryPatternProblem,
  tagPatternProblem,
} from './pattern.ts';

test.each([
  ['**', 'a', true],
  ['**', 'a/b/c', true],
  ['*', 'a', true],
  ['*', 'a/b', false],
  ['team/**', 'team', false],
  ['team/**', 'team/app', true],
  ['team/**', 'team/app/web', true],
  ['team/**', 'teams/app', false],
  ['team/**', 'my/team/app', false],
  ['team/*', 'team/app/web', false],
  ['team/app', 'team/app', true],
  ['team/app', 'team/app2', false],
  ['team/app-*', 'team/app-web', true],
  ['team/app-*', 'team/app-web/x', false],
  ['team-*/app', 'team-a/app', true],
  ['**/app', 'app', true],
  ['**/app', 'a/b/app', true],
  ['**/app', 'a/b/myapp', false],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a', false],
  ['a/**/b/**/b', 'a/b', false],
  ['*a*b*', 'xaxbx', true],
  ['a*a', 'a', false],
])('%s and %s: %s', (pattern, repository, matches) => {
  expect(repositoryPatternProblem(pattern)).toBeUndefined();
  expect(compileRepositoryPattern(pattern)(repository)).toBe(matches);
});

test.each([
  ['v*', 'v1.2', true],
  ['v*', 'dev', false],
  ['*', 'latest', true],
  ['v*.*', 'v1', false],
  ['Release_*', 'Release_1', true],
])('as a pattern of tags %s and %s: %s', (pattern, tag, matches) => {
  expect(tagPatternProblem(pattern)).toBeUndefined();
  expect(compileTagPattern(pattern)(tag)).toBe(matches);
});

test.each([
  ['', 'no pattern'],
  ['Team/**', 'lower case'],
  ['team /app', '" "'],
  ['té/am', '"é"'],
  ['a:b', '":"'],
  ['/team', 'slash'],
  ['team/', 'slash'],
  ['a//b', 'slash'],
  ['team**', 'write team*'],
  ['a/***/b', 'write *'],
  ['a'.repeat(256), '255'],
])('the pattern %j is refused: %s', (pattern, reason) => {
  expect(repositoryPatternProblem(pattern)).toContain(reason);
});

test.each([
  ['', 'no pattern'],
  ['v1/2', '"/"'],
  ['v**', 'single'],
  ['v'.repeat(129), '128'],
])('the pattern of tags %j is refused: %s', (pattern, reason) => {
  expect(tagPatternProblem(pattern)).toContain(reason);
});

const few = fc.constantFrom('a', 'b', 'ab', 'ba', 'aab');
const starred = fc
  .array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('').replace(/\*+/g, '*'));
const pattern = fc
  .array(fc.oneof(starred, fc.constant('**')), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'));
const repository = fc.array(few, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));

test('a match is what trying every way finds', () => {
  fc.assert(
    fc.property(pattern, repository, (one, other) => {
      expect(compileRepositoryPattern(one)(other)).toBe(anyWay(one.split('/'), other.split('/')));
    }),
    { numRuns: 2000 },
  );
});

test('no text breaks it, and one that is a pattern is matched without a crash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
      compileRepositoryPattern(one)(other);
      compileTagPattern(one)(other);
      repositoryPatternProblem(one);
      tagPatternProblem(one);
    }),
  );
});

test('the longest pattern of stars ends on the longest name: ways are not multiplied', () => {
  const stars = `${'*a'.repeat(120)}b`;
  expect(compileRepositoryPattern(stars)('a'.repeat(255))).toBe(false);
  expect(compileRepositoryPattern(`${'**/*a/'.repeat(40)}b`)(`${'a/'.repeat(127)}a`)).toBe(false);
});

/** As it is defined, without a thought to time. */
function anyWay(segments: readonly string[], names: readonly string[]): boolean {
  const [segment, ...rest] = segments;
  if (segment === undefined) return names.length === 0;
  if (segment === '**') {
    const least = rest.length === 0 ? 1 : 0;
    return [...names, ''].some((_, taken) => taken >= least && anyWay(rest, names.slice(taken)));
  }
  const [name, ...others] = names;
  return name !== undefined && anyText([...segment], [...name]) && anyWay(rest, others);
}

function anyText(pattern: readonly string[], text: readonly string[]): boolean {
  const [one, ...rest] = pattern;
  if (one === undefined) return text.length === 0;
  if (one !== '*') return text[0] === one && anyText(rest, text.slice(1));
  return anyText(rest, text) || (text.length > 0 && anyText(pattern, text.slice(1)));
}
