import { expect, test } from 'vitest';
import { expectMeant } from './goal.ts';

test.each([
  [undefined, 'root@new'],
  ['root@new', 'root@new'],
  ['ssh://root@new:22/', 'root@new:22'],
  ['root@new:22', 'ssh://root@new:22'],
])('who says %s means %s', (asked, other) => {
  expectMeant(asked, other);
});

test.each(['root@old', 'new', 'root@new:2222', '-x'])('who says %s means another than root@new', (asked) => {
  expect(() => expectMeant(asked, 'root@new')).toThrow(/is not where this registry went, which is root@new/);
});
