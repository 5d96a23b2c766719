import { expect, test } from 'vitest';
import { readItems } from './copy.ts';

test('what rsync itemizes is read as files that were written and removed; folders, dates and owners do not count', () => {
  const output = [
    'cd+++++++++ compose/',
    '<f+++++++++ compose/gate.yaml',
    '<fcsT...... src/with a blank.ts',
    '.f..t...... README.md',
    '.d..t...... docs/',
    '.f...p..... scripts/gate.ts',
    'cL+++++++++ node_modules/.bin/semver -> ../semver/bin/semver.js',
    '*deleting   src/old.ts',
    '',
  ].join('\n');
  expect(readItems(output)).toEqual({
    written: [
      'compose/gate.yaml',
      'src/with a blank.ts',
      'node_modules/.bin/semver -> ../semver/bin/semver.js',
    ],
    removed: ['src/old.ts'],
  });
});
