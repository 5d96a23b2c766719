import { expect, test } from 'vitest';
import { Secret } from '../secret.ts';
import { costOf } from './htpasswd.ts';
import { DEFAULT_COST, generatePassword, hashPassword, passwordProblem, verifyPassword } from './password.ts';

test.each([
  ['', 'empty'],
  ['a\nb', 'line break'],
  ['a\0b', 'zero byte'],
  ['x'.repeat(73), '73 bytes'],
  ['é'.repeat(37), '74 bytes'],
  ['a\rb', 'line break'],
  ['p\uFFFDss', 'not UTF-8'],
  ['mrg_mine', 'only tokens'],
])('the password %j is refused: %s', (password, reason) => {
  expect(passwordProblem(password)).toContain(reason);
});

test.each(['x'.repeat(72), 'é'.repeat(36), ' with blanks ', 'pass:word'])(
  'the password %j is fine',
  (password) => {
    expect(passwordProblem(password)).toBeUndefined();
  },
);

test('a generated password is long, readable aloud, and never the same', () => {
  const made = Array.from({ length: 100 }, () => generatePassword().reveal());
  expect(new Set(made).size).toBe(100);
  for (const password of made) expect(password).toMatch(/^[2-9a-km-zA-HJ-NP-Z]{24}$/);
});

test('a hash has Apache’s prefix, cost 12 by default, and tells right from wrong', async () => {
  const hash = await hashPassword(new Secret('right'));
  expect(hash).toMatch(/^\$2y\$12\$/);
  expect(costOf(hash)).toBe(DEFAULT_COST);
  expect(await verifyPassword(new Secret('right'), hash)).toBe(true);
  expect(await verifyPassword(new Secret('wrong'), hash)).toBe(false);
});

test('a secret shows itself only when asked', () => {
  const secret = new Secret('hunter2');
  expect(`${secret} ${JSON.stringify({ secret })}`).not.toContain('hunter2');
  expect(secret.reveal()).toBe('hunter2');
});
