import { expect, test } from 'vitest';
import { WrongInput } from '../errors.ts';
import { expectNothingToBringBack, expectSafeDeletion } from './preconditions.ts';

test.each(['2.8.3', '2.8.3+ds1', 'v2.7.1', '2.99.0', '', 'unknown', 'development'])(
  'distribution %j must not delete untagged manifests',
  (version) => {
    expect(() => expectSafeDeletion(version)).toThrow(WrongInput);
  },
);

test.each(['3.0.0', 'v3.0.0', '3.1.0-beta.1', '3.0.0+ds1', '4.0.0'])('distribution %j may', (version) => {
  expect(() => expectSafeDeletion(version)).not.toThrow();
});

test('untagged manifests are not deleted while removed tags can be brought back', () => {
  const at = new Date('2026-06-01T00:00:00Z');
  const until = new Date('2026-06-08T00:00:00Z');
  const entry = { run: '1', at, until, repository: 'a', digest: 'sha256:1', pushed: at };
  const remembered = [{ ...entry, tag: 'v1' }, entry];
  expect(() => expectNothingToBringBack(remembered, new Date('2026-06-07T23:59:59Z'))).toThrow(WrongInput);
  expect(() => expectNothingToBringBack(remembered, until)).not.toThrow();
  expect(() => expectNothingToBringBack([entry], at)).not.toThrow();
});
