import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { faults, type Pair, verifyPair } from './verify.ts';
import { keyToPem, makeAuthority, makeLeaf, newKeyPair, readAuthority } from './x509.ts';

const now = new Date('2027-01-15T00:00:00Z');
const names = [
  'r.example',
  '192.0.2.7',
  'fd00::1',
  '::ffff:192.0.2.8',
  '*.wild.example',
  'part*.half.example',
];

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
  [
    'a key of another kind',
    () => faults({ ...pair, privateKey: ed25519Key() }, names, now),
    /key is that of another/,
  ],
  ['a name below a wildcard’s label', () => faults(pair, ['a.b.wild.example'], now), /does not name a\.b\./],
  [
    'a name that half a wildcard covers',
    () => faults(pair, ['party.half.example'], now),
    /does not name party/,
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

test('a wildcard covers one whole label', () => {
  expect(faults(pair, ['any.wild.example'], now)).toEqual([]);
});

const spoilt: readonly { part: 'privateKey' | 'chain' | 'names' | 'now'; says: RegExp }[] = [
  { part: 'privateKey', says: /key is that of another/ },
  { part: 'chain', says: /not signed by the next/ },
  { part: 'names', says: /does not name missing\.example/ },
  { part: 'now', says: /it expired on/ },
];

test('whatever faults come together, each is told, and no other', () => {
  fc.assert(
    fc.property(fc.subarray([...spoilt]), (chosen) => {
      const has = (part: string) => chosen.some((each) => each.part === part);
      const found = faults(
        {
          privateKey: has('privateKey') ? other.privateKey : pair.privateKey,
          chain: has('chain') ? leafOf(pair) + authorityOf(other) : pair.chain,
        },
        has('names') ? [...names, 'missing.example'] : names,
        has('now') ? new Date('2027-05-01') : now,
      );
      expect(found.length).toBe(chosen.length);
      for (const { says } of chosen) expect(found.join('\n')).toMatch(says);
    }),
  );
});

test('one bit that flipped, anywhere in the certificate or in the secret number, is noticed', () => {
  const key = createPrivateKey(pair.privateKey).export({ type: 'pkcs8', format: 'der' });
  const leaf = new X509Certificate(leafOf(pair)).raw;
  // An OCTET STRING of 32 octets, the secret number of a P-256 key (RFC 5915 section 3).
  const secret = key.indexOf('0420', 'hex') + 2;
  const whole = { privateKey: toPem('PRIVATE KEY', key), chain: toPem('CERTIFICATE', leaf) };
  expect(faults(whole, names, now)).toEqual([]);
  fc.assert(
    fc.property(
      fc.nat({ max: 31 }),
      fc.nat({ max: leaf.length - 1 }),
      fc.nat({ max: 7 }),
      (inKey, inLeaf, bit) => {
        const privateKey = toPem('PRIVATE KEY', flipped(key, secret + inKey, bit));
        expect(faults({ ...whole, privateKey }, names, now)).not.toEqual([]);
        const chain = toPem('CERTIFICATE', flipped(leaf, inLeaf, bit)) + authorityOf(pair);
        expect(faults({ ...whole, chain }, names, now)).not.toEqual([]);
      },
    ),
  );
});

function flipped(der: Buffer, octet: number, bit: number): Buffer {
  const copy = Buffer.from(der);
  copy.writeUInt8(copy.readUInt8(octet) ^ (1 << bit), octet);
  return copy;
}

function toPem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
}

function ed25519Key(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function leafOf({ chain }: Pair): string {
  return chain.slice(0, chain.indexOf('-----END CERTIFICATE-----') + 26);
}

function authorityOf({ chain }: Pair): string {
  return chain.slice(chain.lastIndexOf('-----BEGIN CERTIFICATE-----'));
}
