import { expect, test } from 'vitest';
import { factsForJournal, factsFromJournal, resumptionOf } from './resume.ts';

test.each([
  ['', 'forget'],
  ['images', 'forget'],
  ['settings', 'finish'],
  ['registry', 'finish'],
  ['renewer', 'finish'],
  ['verify', 'finish'],
  ['tidy', 'tidy'],
  ['back', 'go-back'],
])('an upgrade that was killed at "%s": %s', (step, resumption) => {
  expect(resumptionOf(step)).toBe(resumption);
});

test('what the next run has to know goes through the journal as it is', () => {
  const facts = {
    snapshot: '20261121-180000Z',
    chosen: { REGISTRY_IMAGE: 'registry:3.0.0' },
    samples: [{ repository: 'team/app', tag: '1', digest: 'sha256:1', blobs: ['sha256:2'] }],
    undo: undefined,
  };
  const entry = { since: new Date(), step: 'images' };
  expect(factsFromJournal({ ...entry, facts: factsForJournal(facts) })).toEqual(facts);
  const undoing = { ...facts, undo: '20261120-180000Z' };
  expect(factsFromJournal({ ...entry, facts: factsForJournal(undoing) })).toEqual(undoing);
});

test('a journal that could not be read names nothing', () => {
  expect(factsFromJournal({ since: new Date(), step: '', facts: {} }).snapshot).toBe('');
});
