import { beforeAll, expect, test } from 'vitest';
import { faults, type Pair, verifyPair } from './verify.ts';
import { keyToPem, makeAuthority, makeLeaf, newKeyPair, readAuthority } from './x509.ts';

const now = new Date('2027-01-15T00:00:00Z');
const names = ['r.example', '192.0.2.7', 'fd00::1'];

let pair: Pair;
let other: Pair;

beforeAll(async () => {
  pair = await issue();
  other = await issue();
});

async function issue(): Promise<Pair> {
  const keys = await newKeyPair();
  const certificate = await makeAuthority('Test CA', keys, now, 3650);
  const authority = await readAuthority(certificate, await keyToPem(keys.privateKey));
  const leaf = await makeLeaf(names, now, 90, authority);
  return { privateKey: leaf.privateKey, chain: leaf.certificate + certificate };
}

test('a whole pair passes, names and addresses in any form', () => {
  expect(() => verifyPair(pair, ['R.example', '192.0.2.7', 'fd00:0:0::1'], now)).not.toThrow();
});

test.each<[string, () => string[], RegExp]>([
  [
    'another key',
    () => faults({ ...pair, privateKey: other.privateKey }, names, now),
    /key is that of another/,
  ],
  [
    'half a key',
    () => faults({ ...pair, privateKey: pair.privateKey.slice(0, 80) }, names, now),
    /key can't be read/,
  ],
  ['a name that is missing', () => faults(pair, ['www.r.example'], now), /does not name www\.r\.example/],
  ['an address that is missing', () => faults(pair, ['192.0.2.8'], now), /does not name 192\.0\.2\.8/],
  [
    'a chain of another CA',
    () => faults({ ...pair, chain: leafOf(pair) + authorityOf(other) }, names, now),
    /not signed by the next/,
  ],
  [
    'a chain in the wrong order',
    () => faults({ ...pair, chain: authorityOf(pair) + leafOf(pair) }, names, now),
    /key is that of another/,
  ],
  ['an empty chain', () => faults({ ...pair, chain: '' }, names, now), /no PEM certificate/],
  [
    'half a certificate',
    () => faults({ ...pair, chain: pair.chain.replace(/[A-Za-z]{8}\n/, '\n') }, names, now),
    /./,
  ],
  ['a certificate of the past', () => faults(pair, names, new Date('2027-05-01')), /expired on/],
  ['a certificate of the future', () => faults(pair, names, new Date('2026-05-01')), /valid only from/],
])('%s is refused', (_, found, reason) => {
  expect(found().join('\n')).toMatch(reason);
});

test('all faults are told at once', () => {
  expect(() =>
    verifyPair({ ...pair, privateKey: other.privateKey }, ['x.example'], new Date('2028-01-01')),
  ).toThrow(/another certificate; it does not name x\.example; it expired/);
});

function leafOf({ chain }: Pair): string {
  return chain.slice(0, chain.indexOf('-----END CERTIFICATE-----') + 26);
}

function authorityOf({ chain }: Pair): string {
  return chain.slice(chain.lastIndexOf('-----BEGIN CERTIFICATE-----'));
}
