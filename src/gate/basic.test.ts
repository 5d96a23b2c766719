import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCredentials } from './basic.ts';

function basic(pair: string | Uint8Array): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function revealed(header: string | undefined) {
  const read = readCredentials(header);
  return read.kind === 'basic' ? { name: read.name, password: read.password.reveal() } : read.kind;
}

test.each<[string, string | undefined, ReturnType<typeof revealed>]>([
  ['no header', undefined, 'none'],
  ['an empty header', '', 'none'],
  ['neither name nor password', basic(':'), 'none'],
  ['a name and a password', basic('ada:pa ss'), { name: 'ada', password: 'pa ss' }],
  ['colons in the password', basic('ada:a:b:'), { name: 'ada', password: 'a:b:' }],
  ['a name alone', basic('ada:'), { name: 'ada', password: '' }],
  ['a password alone', basic(':pass'), { name: '', password: 'pass' }],
  ['UTF-8', basic('jörg:пароль€'), { name: 'jörg', password: 'пароль€' }],
  [
    'a byte order mark, which is part of the name',
    basic('\uFEFFada:x'),
    { name: '\uFEFFada', password: 'x' },
  ],
  ['a scheme in capitals', basic('ada:x').replace('Basic', 'BASIC'), { name: 'ada', password: 'x' }],
  ['several blanks', basic('ada:x').replace(' ', '   '), { name: 'ada', password: 'x' }],
  ['a tab', basic('ada:x').replace(' ', '\t'), 'malformed'],
  ['no blank', basic('ada:x').replace(' ', ''), 'malformed'],
  ['another scheme', 'Bearer YWRhOng=', 'malformed'],
  ['a scheme alone', 'Basic', 'malformed'],
  ['a scheme and blanks', 'Basic ', 'malformed'],
  ['two headers in one', `${basic('ada:x')}, ${basic('eve:x')}`, 'malformed'],
  ['no colon', basic('ada'), 'malformed'],
  ['no padding', 'Basic YWRhOng', 'malformed'],
  ['padding in the middle', 'Basic YWRh=Ong=', 'malformed'],
  ['bits left over in the last character', 'Basic YWRhOnh=', 'malformed'],
  ['the alphabet for URLs', basic('ada:>>>???').replaceAll('+', '-').replaceAll('/', '_'), 'malformed'],
  ['a line break in the base64', 'Basic YWRh\nOng=', 'malformed'],
  ['a line break in the password', basic('ada:x\n'), 'malformed'],
  ['NUL in the name', basic('a\0da:x'), 'malformed'],
  ['DEL', basic('ada:\x7f'), 'malformed'],
  ['Latin-1', basic(Uint8Array.of(0xe4, 0x3a, 0x78)), 'malformed'],
  ['over-long UTF-8', basic(Uint8Array.of(0x61, 0xc0, 0xba, 0x78)), 'malformed'],
  ['more than anybody has to say', basic(`ada:${'x'.repeat(4096)}`), 'malformed'],
])('%s', (_, header, expected) => {
  expect(revealed(header)).toEqual(expected);
});

test('every name without a colon and every password comes through', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 100 }).filter((value) => !/\p{Cc}/u.test(value));
  const name = text.filter((value) => !value.includes(':') && value !== '');
  fc.assert(
    fc.property(name, text, (user, password) => {
      expect(revealed(basic(`${user}:${password}`))).toEqual({ name: user, password });
    }),
  );
});

test('anything at all is answered, and a header has one reading only', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((value) => Buffer.from(value).toString('base64'));
  const anything = fc.oneof(fc.string({ unit: 'binary' }), bytes);
  fc.assert(
    fc.property(anything, (text) => {
      for (const header of [text, `Basic ${text}`]) {
        const read = revealed(header);
        if (typeof read === 'string') continue;
        expect(header).toBe(basic(`${read.name}:${read.password}`));
      }
    }),
    { numRuns: 5_000 },
  );
});
