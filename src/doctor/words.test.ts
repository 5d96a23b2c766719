import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { plainly, unanswered } from './words.ts';

const openssl = (reason: string) =>
  `804C2FD92A7F0000:error:0A000458:SSL routines:ssl3_read_bytes:${reason}:../deps/openssl/ssl/rec_layer_s3.c:1601:SSL alert number 112\n`;

test.each([
  [openssl('tlsv1 unrecognized name'), 'no certificate is shown for this name'],
  [openssl('wrong version number'), 'wrong version number'],
  ['connect ECONNREFUSED 127.0.0.1:443', 'connect ECONNREFUSED 127.0.0.1:443'],
])('%j is told as %s', (message, told) => {
  expect(plainly(new Error(message))).toBe(told);
});

test('a socket where nobody listens is named', async () => {
  const error = await new Promise((resolve) => connect('/nowhere.sock').once('error', resolve));
  expect(unanswered(error)).toBe('nobody answers at /nowhere.sock');
  expect(unanswered(new Error('x'))).toBeUndefined();
});
