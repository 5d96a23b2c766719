import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChallenge } from './challenge.ts';

test.each([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    {
      scheme: 'bearer',
      realm: 'https://auth.docker.io/token',
      service: 'registry.docker.io',
      scope: undefined,
    },
  ],
  [
    'bearer service="s", scope="repository:a/b:pull", realm="https://r/t"',
    { scheme: 'bearer', realm: 'https://r/t', service: 's', scope: 'repository:a/b:pull' },
  ],
  ['Basic realm="r", Bearer realm="https://r/t"', { scheme: 'bearer', realm: 'https://r/t' }],
  ['Basic realm="Moorage", charset="UTF-8"', { scheme: 'basic' }],
  ['BASIC', { scheme: 'basic' }],
  ['Bearer error="none"', undefined],
  ['Negotiate', undefined],
  ['', undefined],
])('%s', (header, challenge) => {
  if (challenge === undefined) expect(readChallenge(header)).toBeUndefined();
  else expect(readChallenge(header)).toMatchObject(challenge);
});

test('whatever is written, there is an answer', () => {
  fc.assert(fc.property(fc.string(), (text) => void readChallenge(`Bearer ${text}`)));
});
