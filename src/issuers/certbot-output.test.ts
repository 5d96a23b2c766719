import { expect, test } from 'vitest';
import { complaint, refusal } from './certbot-output.ts';

const CHALLENGE = 'Some challenges have failed.\n  Domain: r.example\n  Type: dns\n  Detail: NXDOMAIN';
const LIMITED = [
  'An unexpected error occurred:',
  'too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s,',
  'retry after 2027-01-03 04:05:06 UTC: see https://letsencrypt.org/docs/rate-limits/',
].join(' ');

test.each([
  ['a name that is not ours', CHALLENGE, { blame: 'validation', problem: 'dns' }],
  [
    'a limit',
    LIMITED,
    { blame: 'limit', problem: 'rateLimited', retryAfter: new Date('2027-01-03T04:05:06Z') },
  ],
  [
    'the CA itself',
    'urn:ietf:params:acme:error:serverInternal :: oops',
    { blame: 'ca', problem: 'serverInternal' },
  ],
  ['the network', 'requests.exceptions.ConnectionError: no route', { blame: 'network', problem: undefined }],
])('certbot’s words are told apart: %s', (_, output, expected) => {
  expect(complaint(output)).toMatchObject(expected);
});

test('what the CA said is in the message, and what is noise is not', () => {
  const output = `Saving debug log to /x\n- - - - -\n${CHALLENGE}`;
  const { message } = refusal('https://acme.example/dir', ['r.example'], { exitCode: 1, output });
  expect(message).toMatch(/acme\.example refused a certificate for r\.example .*NXDOMAIN/s);
  expect(message).not.toContain('debug log');
});
