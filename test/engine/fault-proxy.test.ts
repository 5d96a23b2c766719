import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import * as peculiar from '@peculiar/x509';
import acme from 'acme-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ChallengeServer, startChallengeServer } from '../support/challenge-server.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { problem, rateLimited, skewedClock } from '../support/fault-rules.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import type { Pebble } from '../support/pebble.ts';

const NAME = 'registry.moorage.example';
const HOUR = 3_600_000;

let web: ChallengeServer;
let pebble: Pebble;
let proxy: FaultProxy;
let client: acme.Client;

beforeAll(async () => {
  web = await startChallengeServer();
  pebble = await startLocalPebble({ httpPort: web.port, profiles: { long: 7_776_000, short: 60 } });
  proxy = await FaultProxy.start(pebble);
  acme.axios.interceptors.response.clear();
  acme.axios.interceptors.response.use(null, (error) => error.response ?? Promise.reject(error));
  await trust(proxy.trust);
  client = await newClient(proxy.directory);
  await client.createAccount({ termsOfServiceAgreed: true });
  proxy.requests.length = 0;
});

afterEach(() => {
  proxy.clear();
  proxy.requests.length = 0;
});

afterAll(async () => {
  await proxy.close();
  await pebble.dispose();
  await web.close();
});

test('a certificate is issued through the proxy, and every request is known for what it is', async () => {
  const issued = await pebble.issued();
  const certificate = new peculiar.X509Certificate(await issue({ profile: 'short' }));
  expect(certificate.notAfter.getTime() - certificate.notBefore.getTime()).toBe(59_000);
  expect(await pebble.issued()).toBe(issued + 1);
  expect(new Set(proxy.requests.map(({ kind }) => kind))).toEqual(
    new Set(['newNonce', 'newOrder', 'authorization', 'challenge', 'order', 'finalize', 'certificate']),
  );
  expect(proxy.seen('newOrder')).toMatchObject([
    {
      payload: { profile: 'short', identifiers: [{ type: 'dns', value: NAME }] },
      status: 201,
      upstream: 201,
    },
  ]);
  expect(proxy.seen('newOrder')[0]?.account).toBe(client.getAccountUrl());
});

test('what an order replaces is seen, and a second replacement is refused', async () => {
  const replaces = certificateId(await issue({ profile: 'long' }));
  await issue({ profile: 'long', replaces });
  await expect(order({ profile: 'long', replaces })).rejects.toThrow(/already has a replacement/);
  expect(proxy.seen('newOrder').map(({ payload, status }) => [payload?.replaces, status])).toEqual([
    [undefined, 201],
    [replaces, 201],
    [replaces, 409],
  ]);
});

test('a rate limit in seconds, then one with a date, then none', async () => {
  const until = new Date('2031-05-06T07:08:09Z');
  proxy.add({ on: ['directory', 'newOrder'], times: 1, act: rateLimited(36 * 3600) });
  proxy.add({ on: 'directory', times: 1, act: rateLimited(until) });
  const answers = [await get(proxy.directory), await get(proxy.directory), await get(proxy.directory)];
  expect(answers.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
    [429, '129600'],
    [429, 'Tue, 06 May 2031 07:08:09 GMT'],
    [200, undefined],
  ]);
  expect(answers[0]?.data.type).toBe('urn:ietf:params:acme:error:rateLimited');
});

test('a problem by what the order says: the CA does not hear of it', async () => {
  const orders = await pebble.orders();
  const refuse = proxy.add({
    on: 'newOrder',
    when: ({ payload }) => payload?.replaces !== undefined,
    act: problem(409, 'alreadyReplaced'),
  });
  await expect(order({ profile: 'long', replaces: 'a.b' })).rejects.toThrow('alreadyReplaced');
  expect(proxy.seen('newOrder')).toMatchObject([{ status: 409, upstream: undefined }]);
  await order({ profile: 'long' });
  expect({ refused: refuse.applied(), orders: await pebble.orders() }).toEqual({
    refused: 1,
    orders: orders + 1,
  });
});

test('a connection reset before the CA hears of an order, and one after it has made it', async () => {
  const orders = await pebble.orders();
  proxy.add({ on: 'newOrder', times: 1, act: { kind: 'reset', moment: 'before' } });
  proxy.add({ on: 'newOrder', times: 1, act: { kind: 'reset', moment: 'after' } });
  await expect(order()).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await pebble.orders()).toBe(orders);
  await expect(order()).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await pebble.orders()).toBe(orders + 1);
  expect(proxy.seen('newOrder').map(({ status, upstream }) => [status, upstream])).toEqual([
    [undefined, undefined],
    [undefined, 201],
  ]);
});

test('a CA that never answers, until the proxy is closed', async () => {
  const hole = await FaultProxy.start(pebble);
  hole.add({ on: 'any', act: { kind: 'silence' } });
  const impatient = acme.axios.get(hole.directory, { timeout: 50 });
  await expect(impatient).rejects.toMatchObject({ code: 'ECONNABORTED' });
  const patient = expect(get(hole.directory)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect.poll(() => hole.requests.length).toBe(2);
  await hole.close();
  await patient;
});

test('a request is held back until something else has happened', async () => {
  const orders = await pebble.orders();
  const gate = new EventEmitter();
  proxy.add({ on: 'newOrder', times: 1, act: { kind: 'delay', by: once(gate, 'open') } });
  const held = order();
  await expect.poll(() => proxy.seen('newOrder').length).toBe(1);
  expect(await pebble.orders()).toBe(orders);
  gate.emit('open');
  await held;
  expect(await pebble.orders()).toBe(orders + 1);
});

test('a directory without profiles and renewalInfo, and an answer that is no JSON', async () => {
  proxy.add({
    on: 'directory',
    times: 1,
    act: { kind: 'rewrite', body: ({ renewalInfo, meta, ...rest }) => rest },
  });
  proxy.add({ on: 'directory', times: 2, act: { kind: 'rewrite', body: () => '{"newNonce": ' } });
  expect((await get(proxy.directory)).data).toBe('{"newNonce": ');
  proxy.clear();
  expect((await get(proxy.directory)).data).toMatchObject({ meta: { profiles: { short: '60 seconds' } } });
  proxy.add({ on: 'directory', act: { kind: 'rewrite', body: ({ renewalInfo, ...rest }) => rest } });
  expect(Object.keys((await get(proxy.directory)).data)).not.toContain('renewalInfo');
});

test('a CA whose clock is two hours ahead, in its own answers and in those in its place', async () => {
  proxy.add({ on: 'directory', times: 1, act: problem(503, 'serverInternal') });
  proxy.add({ on: 'any', act: skewedClock(2 * HOUR) });
  for (const status of [503, 200]) {
    const answer = await get(proxy.directory);
    expect(answer.status).toBe(status);
    const ahead = Date.parse(String(answer.headers.date)) - Date.now();
    expect(Math.round(ahead / HOUR)).toBe(2);
  }
});

test('the renewal window is what it is set to, malformed too, and the CA’s own again afterwards', async () => {
  const certificate = await issue({ profile: 'long' });
  const { renewalInfo } = (await get(proxy.directory)).data;
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
  expect(proxy.seen('renewalInfo')).toHaveLength(4);
});

test('DNS: an address that is wrong, one for IPv6 that is, SERVFAIL, then all well again', async () => {
  const name = 'dns.moorage.example';
  await pebble.setAddress(name, '127.0.0.2');
  await expect(issue({ profile: 'long' }, name)).rejects.toThrow(/127\.0\.0\.2.*connection refused/);
  await pebble.setAddress(name, '127.0.0.1');
  await pebble.setAddress6(name, '::1');
  await expect(issue({ profile: 'long' }, name)).rejects.toThrow(/\[::1\].*connection refused/);
  await pebble.setAddress6(name, undefined);
  await pebble.setServfail(name);
  await expect(issue({ profile: 'long' }, name)).rejects.toThrow(/could not resolve/);
  await pebble.clearServfail(name);
  expect(await issue({ profile: 'long' }, name)).toContain('BEGIN CERTIFICATE');
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
    await trust(proxy.trust);
    await strict.dispose();
  }
});

test('a CA that uses authorizations again, blocks names and wants to be asked slowly', async () => {
  const options = { retryAfter: { authz: 7, order: 7 }, blocked: ['blocked.example'] };
  const env = { PEBBLE_AUTHZREUSE: '100' };
  const other = await startLocalPebble({ httpPort: web.port, ...options, env });
  const before = { client, proxy };
  const waits: unknown[] = [];
  const listener = acme.axios.interceptors.response.use((response) => {
    waits.push(response.headers['retry-after']);
    return response;
  });
  try {
    proxy = await FaultProxy.start(other, { host: '127.0.0.1' });
    await trust(proxy.trust);
    client = await newClient(proxy.directory);
    await client.createAccount({ termsOfServiceAgreed: true });
    await expect(order({}, 'blocked.example')).rejects.toThrow(/blocked/);
    await issue({});
    expect(await order()).toMatchObject({ status: 'ready' });
    expect(waits.filter(Boolean)).toContainEqual(expect.stringMatching(/^7$|GMT$/)); // by chance the one or the other
  } finally {
    acme.axios.interceptors.response.eject(listener);
    await proxy.close();
    ({ client, proxy } = before);
    await trust(proxy.trust);
    await other.dispose();
  }
});

test('a restart loses accounts and keeps the address, the trust and the counts', async () => {
  await order();
  const orders = await pebble.orders();
  await pebble.restart();
  await expect(order()).rejects.toThrow(/account/i);
  expect(proxy.seen('newOrder').at(-1)).toMatchObject({ status: 400, upstream: 400 });
  expect(await pebble.orders()).toBe(orders + 1);
  client = await newClient(proxy.directory);
  expect(await client.createAccount({ termsOfServiceAgreed: true })).toMatchObject({ status: 'valid' });
});

interface Wanted {
  readonly profile?: string;
  readonly replaces?: string;
}

function order(wanted: Wanted = {}, name = NAME): Promise<acme.Order> {
  const request = { identifiers: [{ type: 'dns', value: name }], ...wanted };
  return client.createOrder(request);
}

/** The whole way from order to chain, by http-01. */
async function issue(wanted: Wanted, name = NAME): Promise<string> {
  const made = await order(wanted, name);
  for (const authorization of await client.getAuthorizations(made)) {
    const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
    if (challenge === undefined) throw new Error('no http-01 challenge');
    web.tokens.set(challenge.token, await client.getChallengeKeyAuthorization(challenge));
    await client.completeChallenge(challenge);
    await client.waitForValidStatus(challenge);
  }
  await client.waitForValidStatus(made); // `ready` is enough for it
  const [, csr] = await acme.crypto.createCsr(
    { altNames: [name] },
    await acme.crypto.createPrivateEcdsaKey(),
  );
  return client.getCertificate(await client.finalizeOrder(made, csr));
}

async function newClient(
  directoryUrl: string,
  externalAccountBinding?: acme.ClientExternalAccountBindingOptions,
): Promise<acme.Client> {
  const accountKey = await acme.crypto.createPrivateEcdsaKey();
  const quick = { backoffMin: 20, backoffMax: 100, backoffAttempts: 20 };
  const options = { directoryUrl, accountKey, ...quick };
  return new acme.Client(externalAccountBinding ? { ...options, externalAccountBinding } : options);
}

/** acme-client has one HTTP client for all, so one CA that it trusts at a time. */
async function trust(file: string): Promise<void> {
  acme.axios.defaults.httpsAgent = new Agent({ ca: await readFile(file, 'utf8') });
}

function get(url: string) {
  return acme.axios.get(url, { validateStatus: () => true });
}

/** RFC 9773 section 4.1. */
function certificateId(chain: string): string {
  const certificate = new peculiar.X509Certificate(chain);
  const authority = certificate.getExtension(peculiar.AuthorityKeyIdentifierExtension);
  const hex = [authority?.keyId ?? '', certificate.serialNumber];
  return hex.map((digits) => Buffer.from(digits, 'hex').toString('base64url')).join('.');
}
