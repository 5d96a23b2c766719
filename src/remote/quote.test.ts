import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine, forAnyShell } from './quote.ts';

test('whatever is in a word, a shell hands it on as it is', () => {
  const word = fc.string({ unit: 'binary-ascii' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${commandLine(words)}`]).toString();
      expect(printed).toBe(words.map((each) => `${each}\0`).join(''));
    }),
    { numRuns: 30 },
  );
});

test('a line has nothing in it that csh or fish would read otherwise, and a shell still runs the same', () => {
  const word = fc.string({ unit: 'binary-ascii' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const line = forAnyShell(`exec printf '%s@' ${commandLine(words)}`);
      expect(line).not.toMatch(/[\n!\\]/);
      expect(execFileSync('sh', ['-c', line]).toString()).toBe(words.map((each) => `${each}@`).join(''));
    }),
    { numRuns: 30 },
  );
});
