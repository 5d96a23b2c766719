import { expect, test } from 'vitest';
import { WrongInput } from '../errors.ts';
import { expectSafeDeletion } from './preconditions.ts';

test.each(['2.8.3', '2.8.3+ds1', 'v2.7.1', '2.99.0', '', 'unknown', 'development'])(
  'distribution %j must not delete untagged manifests',
  (version) => {
    expect(() => expectSafeDeletion(version)).toThrow(WrongInput);
  },
);

test.each(['3.0.0', 'v3.0.0', '3.1.0-beta.1', '3.0.0+ds1', '4.0.0'])('distribution %j may', (version) => {
  expect(() => expectSafeDeletion(version)).not.toThrow();
});
