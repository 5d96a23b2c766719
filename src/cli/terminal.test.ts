import { expect, test } from 'vitest';
import { wrap } from './terminal.ts';

test.each([
  ['breaks between words', 'one two three', 8, ['one two', 'three']],
  [
    'keeps a word that is longer whole',
    'see https://localhost/x now',
    10,
    ['see', 'https://localhost/x', 'now'],
  ],
  ['keeps the indentation in each line', '  one two', 6, ['  one', '  two']],
  ['does not count colours', '\x1b[31mone\x1b[39m two', 7, ['\x1b[31mone\x1b[39m two']],
  ['leaves an empty line', '', 10, ['']],
])('a paragraph %s', (_, text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});
