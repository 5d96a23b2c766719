import { expect, test } from 'vitest';
import { expectNoneHalfDone } from './begun.ts';

const at = (step: string) => ({ since: new Date('2026-11-21T12:00:00Z'), step, facts: {} });

test.each(['aside', 'place'])('while files are moved nothing else may begin: %s', (step) => {
  expect(() => expectNoneHalfDone(at(step))).toThrow(/npm run restore|half way/);
});

test.each([undefined, at(''), at('fetch'), at('start')])('before and after that it may: %j', (entry) => {
  expect(() => expectNoneHalfDone(entry)).not.toThrow();
});
