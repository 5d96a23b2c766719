import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ensureCertificate, rehearse } from '../../src/certificates/renewal.ts';
import { verifyPair } from '../../src/certificates/verify.ts';
import { keepsTheIssuersContract } from '../../src/issuers/issuer.contract.ts';
import { paths } from '../../src/paths.ts';
import { systemClock } from '../../src/system/clock.ts';
import { problem } from '../support/fault-rules.ts';
import { NAME } from '../support/renewal-parts.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';

const silent = () => undefined;
const order = { names: [NAME], replaces: undefined };

let rig: Rig;

beforeAll(async () => {
  rig = await makeRig({ profiles: { default: 7_776_000, shortlived: 576_000 } });
});

afterEach(() => {
  rig.proxy.clear();
  rig.proxy.requests.length = 0;
});

afterAll(() => rig.dispose());

keepsTheIssuersContract(['a.moorage.example', 'b.moorage.example'], () => ({
  issuer: rig.parts().issuer,
  clock: systemClock,
}));

test('from nothing to a certificate that is served', async () => {
  const parts = rig.parts();
  const { value, changed } = await ensureCertificate(parts, { force: false }, silent);
  expect(changed).toBe(true);
  expect(value).toMatchObject({ origin: { issuer: 'acme', directory: rig.place.directory } });
  expect(await parts.webServer.served(NAME)).toBe(value.certificate.fingerprint);
  expect(rig.proxy.seen('newOrder')).toHaveLength(1);
});

test('a rehearsal issues at a CA of one’s own, and changes nothing', async () => {
  const parts = rig.parts();
  const before = await parts.store.current();
  expect(await rehearse(parts, silent)).toMatch(/localhost:\d+ issued a certificate, and it was thrown away/);
  expect(await parts.store.current()).toEqual(before);
});

test('an address is ordered as an address, under the profile that CAs have for addresses', async () => {
  const { issuer } = rig.parts();
  const issued = await issuer.issue({ names: ['127.0.0.1'], replaces: undefined }, silent);
  expect(() => verifyPair(issued, ['127.0.0.1'], new Date())).not.toThrow();
  expect(rig.proxy.seen('newOrder').map(({ payload }) => payload)).toMatchObject([
    { profile: 'shortlived', identifiers: [{ type: 'ip', value: '127.0.0.1' }] },
  ]);
});

test('a renewal names the certificate it replaces', async () => {
  const parts = rig.parts();
  await ensureCertificate(parts, { force: true }, silent);
  const [request] = rig.proxy.seen('newOrder');
  expect(request?.payload).toMatchObject({ replaces: expect.stringMatching(/^[\w-]+\.[\w-]+$/) });
  expect(request?.status).toBe(201);
});

test('a CA that stumbles over the certificate to be replaced is asked without it, at once', async () => {
  const parts = rig.parts();
  const stumbling = ({ payload }: { payload: Record<string, unknown> | undefined }) =>
    payload?.replaces !== undefined;
  rig.proxy.add({ on: 'newOrder', when: stumbling, act: problem(500, 'serverInternal') });
  const { changed } = await ensureCertificate(parts, { force: true }, silent);
  expect(changed).toBe(true);
  expect(rig.proxy.seen('newOrder').map(({ status }) => status)).toEqual([500, 201]);
});

test('the profile that was chosen is asked for; one that the CA has not is left out', async () => {
  const wanted = { names: ['p.moorage.example'], replaces: undefined };
  await rig.parts({ profile: 'shortlived' }).issuer.issue(wanted, silent);
  const told: string[] = [];
  const other = { ...wanted, names: ['q.moorage.example'] };
  await rig.parts({ profile: 'gone' }).issuer.issue(other, (line) => told.push(line));
  expect(rig.proxy.seen('newOrder').map(({ payload }) => payload?.profile)).toEqual([
    'shortlived',
    undefined,
  ]);
  expect(told.join('\n')).toMatch(/does not offer the profile gone \(it has default, shortlived\)/);
});

test('an account whose key is lost is another account', async () => {
  const first = { names: ['lost.moorage.example'], replaces: undefined };
  await rig.parts().issuer.issue(first, silent);
  await rm(join(paths(rig.place.root).acme, 'first/account-key.pem'));
  const issued = await rig.parts().issuer.issue({ ...first, names: ['found.moorage.example'] }, silent);
  expect(() => verifyPair(issued, ['found.moorage.example'], new Date())).not.toThrow();
});

test('an account that has to be bound is bound', async () => {
  const key = Buffer.from('a key of thirty-two bytes or more').toString('base64url');
  const bound = await makeRig({ externalAccountKeys: { 'kid-1': key } });
  try {
    const externalAccount = { kid: 'kid-1', hmacKey: key };
    await expect(bound.parts().issuer.issue(order, silent)).rejects.toMatchObject({
      blame: 'ca',
      remedy: expect.stringContaining('ACME_EAB_KID'),
    });
    const issued = await bound.parts({ externalAccount }).issuer.issue(order, silent);
    expect(() => verifyPair(issued, [NAME], new Date())).not.toThrow();
  } finally {
    await bound.dispose();
  }
});
