import acme from 'acme-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChallengeServer, startChallengeServer } from '../support/challenge-server.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { certificateId, get, issue, NAME, newClient, order, trust } from '../support/plain-acme.ts';

let web: ChallengeServer;
let pebble: Pebble;
let client: acme.Client;

beforeAll(async () => {
  web = await startChallengeServer();
  pebble = await startLocalPebble({ httpPort: web.port, profiles: { long: 7_776_000, short: 60 } });
  await trust(pebble.trust);
  client = await newClient(pebble.directory);
  await client.createAccount({ termsOfServiceAgreed: true });
});

afterAll(async () => {
  await pebble.dispose();
  await web.close();
});

test('the renewal window is what it is set to, malformed too, and the CA’s own again afterwards', async () => {
  const certificate = await issue(client, web, { profile: 'long' });
  const { renewalInfo } = (await get(pebble.directory)).data;
  const window = async () => (await get(`${renewalInfo}/${certificateId(certificate)}`)).data;
  const own = await window();
  const [start, end] = [new Date('2026-01-02T03:04:05Z'), new Date('2026-01-03T03:04:05Z')];
  await pebble.setRenewalWindow(certificate, { start, end, explanationUrl: 'https://ca.example/why' });
  expect(await window()).toEqual({
    suggestedWindow: { start: start.toISOString(), end: end.toISOString() },
    explanationURL: 'https://ca.example/why',
  });
  await pebble.setRenewalWindow(certificate, '{"suggestedWindow": {"start": "soon"}}');
  expect(await window()).toEqual({ suggestedWindow: { start: 'soon' } });
  await pebble.setRenewalWindow(certificate, '');
  expect(await window()).toEqual(own);
});

test('DNS: an address that is wrong, one for IPv6 that is, SERVFAIL, then all well again', async () => {
  const name = 'dns.moorage.example';
  await pebble.setAddress(name, '127.0.0.2');
  await expect(issue(client, web, { profile: 'long' }, name)).rejects.toThrow(
    /127\.0\.0\.2.*connection refused/,
  );
  await pebble.setAddress(name, '127.0.0.1');
  await pebble.setAddress6(name, '::1');
  await expect(issue(client, web, { profile: 'long' }, name)).rejects.toThrow(/\[::1\].*connection refused/);
  await pebble.setAddress6(name, undefined);
  await pebble.setServfail(name);
  await expect(issue(client, web, { profile: 'long' }, name)).rejects.toThrow(/could not resolve/);
  await pebble.clearServfail(name);
  expect(await issue(client, web, { profile: 'long' }, name)).toContain('BEGIN CERTIFICATE');
});

test('TXT and CAA records can be set, asked and taken away', async () => {
  await pebble.setTxt(`_acme-challenge.${NAME}`, 'digest');
  expect(await pebble.txt(`_acme-challenge.${NAME}`)).toEqual(['digest']);
  await pebble.clearTxt(`_acme-challenge.${NAME}`);
  await expect(pebble.txt(`_acme-challenge.${NAME}`)).rejects.toMatchObject({ code: 'ENODATA' });
  await pebble.forbidByCaa(NAME, 'other-ca.example');
  expect(await pebble.caa(NAME)).toEqual(['other-ca.example']);
  await pebble.clearCaa(NAME);
  await expect(pebble.caa(NAME)).rejects.toMatchObject({ code: 'ENODATA' });
});

test('where accounts are bound to external ones, none is made without', async () => {
  const hmacKey = Buffer.alloc(32, 7).toString('base64url');
  const strict = await startLocalPebble({ httpPort: web.port, externalAccountKeys: { 'kid-1': hmacKey } });
  try {
    await trust(strict.trust);
    const account = { termsOfServiceAgreed: true };
    const without = await newClient(strict.directory);
    await expect(without.createAccount(account)).rejects.toThrow(/externalAccountBinding/);
    const bound = await newClient(strict.directory, { kid: 'kid-1', hmacKey });
    expect(await bound.createAccount(account)).toMatchObject({ status: 'valid' });
  } finally {
    await trust(pebble.trust);
    await strict.dispose();
  }
});

test('a CA that uses authorizations again, blocks names and wants to be asked slowly', async () => {
  const options = { retryAfter: { authz: 7, order: 7 }, blocked: ['blocked.example'] };
  const env = { PEBBLE_AUTHZREUSE: '100' };
  const other = await startLocalPebble({ httpPort: web.port, ...options, env });
  const waits: unknown[] = [];
  const listener = acme.axios.interceptors.response.use((response) => {
    waits.push(response.headers['retry-after']);
    return response;
  });
  try {
    await trust(other.trust);
    const slow = await newClient(other.directory);
    await slow.createAccount({ termsOfServiceAgreed: true });
    await expect(order(slow, {}, 'blocked.example')).rejects.toThrow(/blocked/);
    await issue(slow, web);
    expect(await order(slow)).toMatchObject({ status: 'ready' });
    expect(waits.filter(Boolean)).toContainEqual(expect.stringMatching(/^7$|GMT$/)); // by chance the one or the other
  } finally {
    acme.axios.interceptors.response.eject(listener);
    await trust(pebble.trust);
    await other.dispose();
  }
});

test('a restart loses accounts and keeps the address, the trust and the counts', async () => {
  await order(client);
  const orders = await pebble.orders();
  await pebble.restart();
  await expect(order(client)).rejects.toThrow(/account/i);
  expect(await pebble.orders()).toBe(orders + 1);
  client = await newClient(pebble.directory);
  expect(await client.createAccount({ termsOfServiceAgreed: true })).toMatchObject({ status: 'valid' });
});
