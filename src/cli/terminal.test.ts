import { expect, test } from 'vitest';
import { harmless, wrap } from './terminal.ts';

test.each([
  ['breaks between words', 'one two three', 8, ['one two', 'three']],
  [
    'keeps a word that is longer whole',
    'see https://localhost/x now',
    10,
    ['see', 'https://localhost/x', 'now'],
  ],
  ['keeps the indentation in each line', '  one two', 6, ['  one', '  two']],
  ['hangs an item of a list', '  - one two', 7, ['  - one', '    two']],
  ['hangs a row of a table', '  Net  one two six', 10, ['  Net  one', '       two', '       six']],
  ['does not count colours', '\x1b[31mone\x1b[39m two', 7, ['\x1b[31mone\x1b[39m two']],
  ['leaves an empty line', '', 10, ['']],
])('a paragraph %s', (_, text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});

test.each([
  ['colours stay', '\x1b[1mbold\x1b[22m and \x1b[38;5;9mred', '\x1b[1mbold\x1b[22m and \x1b[38;5;9mred'],
  ['the screen is not cleared', 'Debian\x1b[2J\x1b[H', 'Debian[2J[H'],
  ['nothing is put into the clipboard', '\x1b]52;c;cm0gLXJm\x07ok', ']52;c;cm0gLXJmok'],
  ['what was said is not written over', 'refused\r\x9b2Kdone\b', 'refused2Kdone'],
  ['lines and tabs stay', 'one\n\ttwo', 'one\n\ttwo'],
])('of what others say %s', (_, text, shown) => {
  expect(harmless(text)).toBe(shown);
});
