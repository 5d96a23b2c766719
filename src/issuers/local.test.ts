import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { parseChain, readCertificate } from '../certificates/certificate.ts';
import { verifyPair } from '../certificates/verify.ts';
import { keepsTheIssuersContract } from './issuer.contract.ts';
import { authorityFile, LocalIssuer } from './local.ts';

const clock = new FakeClock('2027-01-01T00:00:00Z');
const order = { names: ['localhost', 'r.lan', '192.0.2.7', '::1'], replaces: undefined };
const silent = () => undefined;

let folder: string;
let issuer: LocalIssuer;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'moorage-ca-')), 'ca');
  issuer = new LocalIssuer(folder, clock);
});

keepsTheIssuersContract(['localhost', 'r.lan', '192.0.2.7', 'FD00:0::1'], () => ({ issuer, clock }));

test('P-256 all the way, 90 days, for servers alone; the CA may sign no other CA', async () => {
  const [leaf, authority] = parseChain((await issuer.issue(order, silent)).chain);
  expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(leaf.ca).toBe(false);
  expect(authority?.ca).toBe(true);
  expect(Date.parse(leaf.validTo) - clock.now().getTime()).toBe(90 * 24 * 3_600_000);
});

test('a new certificate never needs new trust', async () => {
  const first = await issuer.issue(order, silent);
  const trusted = new X509Certificate(await readFile(authorityFile(folder)));
  clock.set(new Date('2029-06-01T00:00:00Z'));
  const later = await new LocalIssuer(folder, clock).issue({ ...order, names: ['new.lan'] }, silent);
  expect(later.chain).not.toBe(first.chain);
  expect(parseChain(later.chain)[0].verify(trusted.publicKey)).toBe(true);
  clock.set(new Date('2027-01-01T00:00:00Z'));
});

test('the key of the CA is for its owner alone', async () => {
  await issuer.issue(order, silent);
  expect((await stat(join(folder, 'ca-key.pem'))).mode & 0o777).toBe(0o600);
});

test('killed between key and certificate of the CA: the next run completes it with that key', async () => {
  await issuer.issue(order, silent);
  const key = await readFile(join(folder, 'ca-key.pem'), 'utf8');
  await rm(authorityFile(folder));
  const issued = await issuer.issue(order, silent);
  expect(() => verifyPair(issued, order.names, clock.now())).not.toThrow();
  expect(await readFile(join(folder, 'ca-key.pem'), 'utf8')).toBe(key);
});

test('who trusted a certificate of the CA that was lost trusts the one made in its place', async () => {
  const lost = authorityOf((await issuer.issue(order, silent)).chain);
  await rm(authorityFile(folder));
  const [leaf] = parseChain((await issuer.issue(order, silent)).chain);
  expect(leaf.checkIssued(lost)).toBe(true);
  expect(leaf.verify(lost.publicKey)).toBe(true);
});

test('a certificate ends no later than the CA, whom nobody believes then', async () => {
  const authority = authorityOf((await issuer.issue(order, silent)).chain);
  const later = new FakeClock('2036-12-01T00:00:00Z');
  const { chain } = await new LocalIssuer(folder, later).issue(order, silent);
  expect(readCertificate(chain).notAfter).toEqual(new Date(authority.validTo));
});

test('a CA that expired is told, with what to do', async () => {
  await issuer.issue(order, silent);
  const later = new LocalIssuer(folder, new FakeClock('2037-01-01T00:00:00Z'));
  await expect(later.issue(order, silent)).rejects.toMatchObject({
    code: 'local-ca-expired',
    message: expect.stringContaining('2036-12-29'),
  });
});

test('a key that can’t be read is told also where its certificate is gone', async () => {
  await issuer.issue(order, silent);
  await rm(authorityFile(folder));
  await writeFile(join(folder, 'ca-key.pem'), 'no key');
  await expect(issuer.issue(order, silent)).rejects.toMatchObject({ code: 'local-ca-damaged' });
  expect(await readFile(join(folder, 'ca-key.pem'), 'utf8')).toBe('no key');
});

test.each([
  ['a key that is missing', () => rm(join(folder, 'ca-key.pem'))],
  ['a key that can’t be read', () => writeFile(join(folder, 'ca-key.pem'), 'no key')],
  [
    'the key of another CA',
    async () => {
      const other = join(folder, 'other');
      await new LocalIssuer(other, clock).issue(order, silent);
      await writeFile(join(folder, 'ca-key.pem'), await readFile(join(other, 'ca-key.pem')));
    },
  ],
])('%s is told, and the trusted certificate is never replaced in silence', async (_, damage) => {
  await issuer.issue(order, silent);
  const trusted = await readFile(authorityFile(folder), 'utf8');
  await damage();
  await expect(issuer.issue(order, silent)).rejects.toMatchObject({ code: 'local-ca-damaged' });
  expect(await readFile(authorityFile(folder), 'utf8')).toBe(trusted);
});

test('serials are positive, long and never the same (RFC 5280 section 4.1.2.2)', async () => {
  const serials = new Set<string>();
  for (let count = 0; count < 20; count += 1) {
    const [leaf] = parseChain((await issuer.issue(order, silent)).chain);
    expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    serials.add(leaf.serialNumber);
  }
  expect(serials.size).toBe(20);
});

function authorityOf(chain: string): X509Certificate {
  const [, authority] = parseChain(chain);
  if (authority === undefined) throw new Error('the chain has no CA in it');
  return authority;
}
