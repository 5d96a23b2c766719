import { createServer, type TlsOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { chainIn, servedChain } from './served-chain.ts';
import { keyToPem, makeAuthority, makeLeaf, newKeyPair, readAuthority } from './x509.ts';

const NOW = new Date();

async function makeChain() {
  const keys = await newKeyPair();
  const ca = await makeAuthority('a CA', keys, NOW, 10);
  const authority = await readAuthority(ca, await keyToPem(keys.privateKey));
  const { privateKey, certificate } = await makeLeaf(['localhost'], NOW, 10, authority);
  return { ca, key: privateKey, leaf: certificate };
}

async function shownBy(options: TlsOptions, authority?: string) {
  const server = createServer(options);
  const port = await listen(server);
  try {
    return await servedChain({ host: '127.0.0.1', port, servername: 'localhost', timeout: 5_000 }, authority);
  } finally {
    server.close();
  }
}

test('a chain is told as it is served, which may be in a wrong order', async () => {
  const { ca, key, leaf } = await makeChain();
  const stranger = await makeChain();
  const shown = await shownBy({ key, cert: `${leaf}${stranger.ca}${ca}` }, ca);
  if (shown.kind !== 'shown') throw new Error(shown.reason);
  expect(shown.chain.map(({ subject }) => subject)).toEqual(['CN=localhost', 'CN=a CA', 'CN=a CA']);
  expect(
    shown.chain.map(
      (each) =>
        each.checkIssued(shown.chain[2] ?? each) && each.verify(shown.chain[2]?.publicKey ?? each.publicKey),
    ),
  ).toEqual([true, false, true]);
  expect(shown.distrust).toBeUndefined();
});

test('it is trusted by the authority that is given, and by no other', async () => {
  const { ca, key, leaf } = await makeChain();
  const cert = `${leaf}${ca}`;
  expect(await shownBy({ key, cert }, ca)).toMatchObject({ kind: 'shown', distrust: undefined });
  expect(await shownBy({ key, cert })).toMatchObject({ distrust: expect.stringMatching(/SELF_SIGNED/) });
  expect(await shownBy({ key, cert: leaf })).toMatchObject({
    distrust: expect.stringMatching(/VERIFY_LEAF/),
  });
});

test('a server that speaks TLS 1.3 alone shows its leaf', async () => {
  const { ca, key, leaf } = await makeChain();
  const shown = await shownBy({ key, cert: `${leaf}${ca}`, minVersion: 'TLSv1.3' }, ca);
  expect(shown.kind === 'shown' && shown.chain.map(({ subject }) => subject)).toEqual(['CN=localhost']);
});

test('who is not there shows nothing', async () => {
  const nobody = { host: '127.0.0.1', port: 1, servername: 'localhost', timeout: 5_000 };
  expect(await servedChain(nobody)).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/ECONNREFUSED/),
  });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['an alert', Buffer.from([21, 3, 3, 0, 2, 2, 40])],
  ['a record that was cut', Buffer.from([22, 3, 3, 0, 200, 11, 0, 0])],
])('%s has no certificates in it', (_, records) => {
  expect(chainIn(records)).toEqual([]);
});
