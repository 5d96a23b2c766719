import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import type { Generation } from '../../src/certificates/store.ts';
import { paths } from '../../src/paths.ts';
import { problem } from '../support/fault-rules.ts';
import { aPredecessor, oneThatIsDue } from '../support/predecessor.ts';
import { type Changes, NAME } from '../support/renewal-parts.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { sharedTime } from '../support/shared-time.ts';

const silent = () => undefined;

let rig: Rig;

beforeEach(async () => {
  rig = await makeRig({ profiles: { gone: 90 * 24 * 3600 } });
});

afterEach(() => rig.dispose());

async function renew(changes: Changes = {}): Promise<Generation> {
  return (await ensureCertificate(rig.parts(changes), { force: true }, silent)).value;
}

/** What was ordered, and what the CA said to it. */
function orders() {
  return rig.proxy.seen('newOrder').map(({ payload = {}, status }) => ({
    replaces: 'replaces' in payload,
    profile: payload.profile,
    status,
  }));
}

const plain = { replaces: false, profile: undefined };

describe('fault 13: the CA refuses the predecessor that an order names', () => {
  test('because it was replaced already: once more without', async () => {
    await aPredecessor(rig);
    const { state } = paths(rig.place.root);
    const backup = join(rig.place.root, 'backup');
    await cp(state, backup, { recursive: true, verbatimSymlinks: true });
    await renew();
    await rm(state, { recursive: true });
    await cp(backup, state, { recursive: true, verbatimSymlinks: true });
    await renew();
    expect(orders()).toEqual([
      { ...plain, replaces: true, status: 201 },
      { ...plain, replaces: true, status: 409 },
      { ...plain, status: 201 },
    ]);
  });

  test('because another account ordered it: once more without', async () => {
    await aPredecessor(rig);
    await rm(paths(rig.place.root).acme, { recursive: true });
    await renew();
    expect(rig.proxy.seen('newAccount')).toHaveLength(1);
    expect(orders()).toEqual([
      { ...plain, replaces: true, status: expect.toSatisfy((status: number) => status >= 400) },
      { ...plain, status: 201 },
    ]);
  });
});

describe('fault 14: the CA has lost the account', () => {
  test('it is registered again, and the certificate is renewed', async () => {
    const before = await renew();
    await rig.pebble.restart();
    const after = await renew();
    expect(after.certificate.fingerprint).not.toBe(before.certificate.fingerprint);
    expect(rig.proxy.seen('newAccount').map(({ status }) => status)).toEqual([201, 201]);
  });
});

describe('fault 15: the profile is gone', () => {
  const invalid = problem(400, 'invalidProfile');

  test('from the directory: ordered without, and said', async () => {
    rig.proxy.add({ on: 'directory', act: { kind: 'rewrite', body: (all) => ({ ...all, meta: {} }) } });
    const told: string[] = [];
    await ensureCertificate(rig.parts({ profile: 'gone' }), { force: false }, (line) => told.push(line));
    expect(orders()).toEqual([{ ...plain, status: 201 }]);
    expect(told.join('\n')).toContain('does not offer the profile gone');
  });

  test('while the directory still offers it: once more without', async () => {
    rig.proxy.add({ on: 'newOrder', when: ({ payload }) => payload?.profile !== undefined, act: invalid });
    await renew({ profile: 'gone' });
    expect(orders()).toEqual([
      { ...plain, profile: 'gone', status: 400 },
      { ...plain, status: 201 },
    ]);
  });

  test('and the predecessor refused too: one after the other is left out', async () => {
    await aPredecessor(rig);
    await rm(paths(rig.place.root).acme, { recursive: true });
    rig.proxy.add({ on: 'newOrder', when: ({ payload }) => payload?.profile !== undefined, act: invalid });
    await renew({ profile: 'gone' });
    expect(orders()).toEqual([
      { replaces: true, profile: 'gone', status: 400 },
      { ...plain, replaces: true, status: expect.toSatisfy((status: number) => status >= 400) },
      { ...plain, status: 201 },
    ]);
  });
});

test('an order that is refused for some names: each is told with its reason', async () => {
  const names = ['good.moorage.example', 'bad.moorage.example', 'worse.moorage.example'];
  const about = (value: string, detail: string) => ({
    type: 'urn:ietf:params:acme:error:rejectedIdentifier',
    detail,
    identifier: { type: 'dns', value },
  });
  const refusal = problem(400, 'rejectedIdentifier');
  if (refusal.kind !== 'answer' || typeof refusal.body !== 'object') throw new Error('a problem has a body');
  const subproblems = [
    about('bad.moorage.example', 'is on a list'),
    about('worse.moorage.example', 'is not'),
  ];
  rig.proxy.add({ on: 'newOrder', act: { ...refusal, body: { ...refusal.body, subproblems } } });
  await expect(ensureCertificate(rig.parts({ names }), { force: false }, silent)).rejects.toMatchObject({
    blame: 'validation',
    problem: 'rejectedIdentifier',
    message: expect.stringMatching(
      /\n {2}bad\.moorage\.example: is on a list\n {2}worse\.moorage\.example: is not$/,
    ),
  });
});

test('a certificate that comes back unfit is not served, and the CA is left alone for a while', async () => {
  const clock = sharedTime(rig);
  const { webServer } = rig.parts();
  const old = await oneThatIsDue(rig, { clock, webServer });
  const headers = { 'content-type': 'application/pem-certificate-chain' };
  const other = rig.proxy.add({
    on: 'certificate',
    act: { kind: 'answer', status: 200, body: old.chain, headers },
  });
  await expect(tend(rig.parts({ clock, webServer }), silent)).rejects.toMatchObject({
    code: 'certificate-unfit',
    message: expect.stringContaining('the private key is that of another certificate'),
  });
  other.remove();
  rig.proxy.requests.length = 0;
  expect((await tend(rig.parts({ clock, webServer }), silent)).summary).toMatch(/next attempt/);
  expect(rig.proxy.requests).toEqual([]);
  expect(await webServer.served(NAME)).toBe(old.certificate.fingerprint);

  clock.move(2 * 60_000);
  const { value } = await tend(rig.parts({ clock, webServer }), silent);
  expect(await webServer.served(NAME)).toBe(value?.certificate.fingerprint);
  expect(value?.certificate.fingerprint).not.toBe(old.certificate.fingerprint);
  expect(orders()).toEqual([]); // the order of before had a good one all the time
});
