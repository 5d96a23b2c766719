import { expect, test } from 'vitest';
import { leapOf, leapOfPlan } from './registry-version.ts';
import { parseVersion } from './versions.ts';

test.each([
  ['2.8.3', '2.8.3', 'small'],
  ['2.8.2+ds1', '2.8.3+ds1', 'small'],
  ['2.8.3', '3.0.0', 'large'],
  ['2.8', '3', 'large'],
  ['3.0.0', '2.8.3', 'back'],
  ['2.8.3', '2.8.2', 'back'],
  ['2.8.3', '2.6.2', 'unsafe'],
  [undefined, '2.6.2', 'unsafe'],
  [undefined, '3.0.0', 'small'],
  ['2.8.3', undefined, 'small'],
  ['2.8.3', 'edge', 'small'],
])('distribution from %s to %s is a leap that is %s', (now, next, kind) => {
  expect(leapOf(now, next).kind).toBe(kind);
});

test.each([
  ['registry:2.8.3', 'registry:3.0.0', 'large'],
  ['registry:2.8.3', 'registry.example:5000/team/registry', 'small'],
  ['registry:2.8.3', `registry:3.0.0@sha256:${'a'.repeat(64)}`, 'large'],
])('where nobody can ask the image its tag has to do: %s to %s', (now, next, kind) => {
  const plan = [
    {
      part: 'registry',
      now: { reference: now, version: undefined },
      next: { reference: next, version: undefined },
    },
  ];
  expect(leapOfPlan(plan).kind).toBe(kind);
});

test.each([
  ['registry github.com/docker/distribution 2.8.3+ds1', '2.8.3+ds1'],
  ['registry github.com/distribution/distribution/v3 v3.0.0', '3.0.0'],
  ['nginx version: nginx/1.26.3', '1.26.3'],
  ['Redis server v=8.0.2 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', '8.0.2'],
  ['exec: registry: not found', undefined],
])('%s says %s', (output, version) => {
  expect(parseVersion(output)).toBe(version);
});
