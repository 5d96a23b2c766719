import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costOf, formatHtpasswd, parseHtpasswd, userLine } from './htpasswd.ts';

const HASH = `$2y$05$${'./Az09'.repeat(9).slice(0, 53)}`;

test('whatever is read is written back byte for byte', () => {
  const blanks = fc.constantFrom('', ' ', '\t', '\r');
  const content = fc.oneof(
    fc.stringMatching(/^[a-z][a-zéя0-9 .@-]{0,20}$/u).map((name) => `${name}:${HASH}`),
    fc.constantFrom('', '# note', '# note: of time', '#'),
  );
  const line = fc.tuple(blanks, content, blanks).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((each) => `${each}\n`).join('');
      expect(formatHtpasswd(parseHtpasswd(text, 'file'))).toBe(text);
    }),
  );
});

test.each(['2a', '2b', '2y'])('bcrypt with the prefix %s is read, and its cost', (prefix) => {
  const hash = HASH.replace('2y', prefix);
  expect(parseHtpasswd(`ada:${hash}`, 'file').lines).toEqual([userLine('ada', hash)]);
  expect(costOf(hash)).toBe(5);
});

test.each([
  ['old:$apr1$x$y', 'not hashed by bcrypt'],
  ['old:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'not hashed by bcrypt'],
  ['old:plain', 'not hashed by bcrypt'],
  ['old:', 'not hashed by bcrypt'],
  ['old', 'not NAME:HASH'],
  [`:${HASH}`, 'not NAME:HASH'],
  [`old:${HASH}x`, 'not hashed by bcrypt'],
  [`old:${HASH.replace('$05$', '$03$')}`, 'not hashed by bcrypt'],
  [`old:${HASH.replace('$05$', '$32$')}`, 'not hashed by bcrypt'],
  [`old:${HASH.replace('$05$', '$17$')}`, 'cost 17, which takes minutes'],
  ['o\uFFFDd:secret', 'not UTF-8'],
  ['# \uFFFD', 'not UTF-8'],
  ['\uFEFF# made on Windows', 'byte order mark'],
])('%s is refused by file and line: %s', (line, reason) => {
  expect(() => parseHtpasswd(`ada:${HASH}\n${line}\n`, 'registry.password')).toThrow(`registry.password:2: `);
  expect(() => parseHtpasswd(line, 'file')).toThrow(reason);
});

test('every line that can’t be read is told, and no hash', () => {
  expect(() => parseHtpasswd('a:secret1\nb:secret2\n', 'f')).toThrow(/f:1.*\nf:2/);
  expect(() => parseHtpasswd('a:secret1', 'f')).not.toThrow(/secret1/);
});
