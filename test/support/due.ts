import { expect } from 'vitest';
import { CertificateStore } from '../../src/certificates/store.ts';
import { LocalIssuer } from '../../src/issuers/local.ts';
import { paths } from '../../src/paths.ts';
import { systemClock } from '../../src/system/clock.ts';

const DAY = 24 * 3_600_000;

/**
 * Makes a certificate of the local CA current that was issued 70 of its 90 days ago, and waits until nginx serves it.
 * @param served fingerprint of what nginx shows now
 * @returns fingerprint of that certificate
 */
export async function serveDue(root: string, served: () => Promise<string>): Promise<string> {
  const places = paths(root);
  const then = { ...systemClock, now: () => new Date(Date.now() - 70 * DAY) };
  const issuer = new LocalIssuer(places.localAuthority, then);
  const order = { names: ['localhost', '127.0.0.1', '::1'], replaces: undefined };
  const store = new CertificateStore(places.certificates, then);
  const generation = await store.add(await issuer.issue(order, () => undefined));
  await store.activate(generation);
  const { fingerprint } = generation.certificate;
  await expect.poll(served, { timeout: 30_000, interval: 100 }).toBe(fingerprint);
  return fingerprint;
}
