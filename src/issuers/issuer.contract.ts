import { expect, test } from 'vitest';
import { canonicalName, readCertificate } from '../certificates/certificate.ts';
import type { Issuer } from '../certificates/issuer.ts';
import { verifyPair } from '../certificates/verify.ts';
import type { Clock } from '../system/clock.ts';

export interface Subject {
  readonly issuer: Issuer;
  readonly clock: Clock;
}

const silent = () => undefined;

/** What every issuer keeps, as tests. `open` gives a fresh issuer; it may issue for `names`, at least two of them. */
export function keepsTheIssuersContract(names: readonly [string, string, ...string[]], open: () => Subject) {
  test('what it issues is fit for each name, and names no other', async () => {
    const { issuer, clock } = open();
    const issued = await issuer.issue({ names, replaces: undefined }, silent);
    expect(() => verifyPair(issued, names, clock.now())).not.toThrow();
    expect([...readCertificate(issued.chain).names].sort()).toEqual(names.map(canonicalName).sort());
  });

  test('it hands back a PKCS #8 key, and its own origin', async () => {
    const { issuer } = open();
    const issued = await issuer.issue({ names, replaces: undefined }, silent);
    expect(issued.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(issued.origin).toEqual(issuer.origin);
  });

  test('the certificate to be replaced is no answer, and neither is its key', async () => {
    const { issuer, clock } = open();
    const first = await issuer.issue({ names, replaces: undefined }, silent);
    const { fingerprint } = readCertificate(first.chain);
    const replaces = { fingerprint, chain: first.chain, origin: first.origin };
    const second = await issuer.issue({ names, replaces }, silent);
    expect(readCertificate(second.chain).fingerprint).not.toBe(fingerprint);
    expect(second.privateKey).not.toBe(first.privateKey);
    expect(() => verifyPair(second, names, clock.now())).not.toThrow();
  });

  test('fewer names are another certificate', async () => {
    const { issuer } = open();
    await issuer.issue({ names, replaces: undefined }, silent);
    const issued = await issuer.issue({ names: [names[0]], replaces: undefined }, silent);
    expect(readCertificate(issued.chain).names).toEqual([canonicalName(names[0])]);
  });
}
