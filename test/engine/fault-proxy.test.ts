import { EventEmitter, once } from 'node:events';
import * as peculiar from '@peculiar/x509';
import type acme from 'acme-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ChallengeServer, startChallengeServer } from '../support/challenge-server.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { problem, rateLimited, skewedClock } from '../support/fault-rules.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import type { Pebble } from '../support/pebble.ts';
import { certificateId, get, issue, NAME, newClient, order, trust } from '../support/plain-acme.ts';

const HOUR = 3_600_000;

let web: ChallengeServer;
let pebble: Pebble;
let proxy: FaultProxy;
let client: acme.Client;

beforeAll(async () => {
  web = await startChallengeServer();
  pebble = await startLocalPebble({ httpPort: web.port, profiles: { long: 7_776_000, short: 60 } });
  proxy = await FaultProxy.start(pebble);
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
  const certificate = new peculiar.X509Certificate(await issue(client, web, { profile: 'short' }));
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
  const replaces = certificateId(await issue(client, web, { profile: 'long' }));
  await issue(client, web, { profile: 'long', replaces });
  await expect(order(client, { profile: 'long', replaces })).rejects.toThrow(/already has a replacement/);
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
  await expect(order(client, { profile: 'long', replaces: 'a.b' })).rejects.toThrow('alreadyReplaced');
  expect(proxy.seen('newOrder')).toMatchObject([{ status: 409, upstream: undefined }]);
  await order(client, { profile: 'long' });
  expect({ refused: refuse.applied(), orders: await pebble.orders() }).toEqual({
    refused: 1,
    orders: orders + 1,
  });
});

test('an order that Pebble lets use what was authorized before, though it was told not to, is asked for again', async () => {
  const other = await startLocalPebble({ httpPort: web.port, env: { PEBBLE_AUTHZREUSE: '100' } });
  const strict = await FaultProxy.start({ ...other, reuses: false });
  try {
    await trust(strict.trust);
    const customer = await newClient(strict.directory);
    await customer.createAccount({ termsOfServiceAgreed: true });
    await issue(customer, web);
    const orders = await other.orders();
    await expect(order(customer)).rejects.toThrow('an order was made');
    expect(await other.orders()).toBeGreaterThan(orders + 1);
    expect(strict.seen('newOrder')).toHaveLength(1);
  } finally {
    await trust(proxy.trust);
    await strict.close();
    await other.dispose();
  }
});

test('a CA that is down breaks the connection', async () => {
  const other = await startLocalPebble({ httpPort: web.port });
  const before = await FaultProxy.start(other, { host: '127.0.0.1' });
  try {
    await trust(before.trust);
    expect((await get(before.directory)).status).toBe(200);
    await other.dispose();
    await expect(get(before.directory)).rejects.toMatchObject({ code: 'ECONNRESET' });
  } finally {
    await trust(proxy.trust);
    await before.close();
  }
});

test('a connection reset before the CA hears of an order, and one after it has made it', async () => {
  const orders = await pebble.orders();
  proxy.add({ on: 'newOrder', times: 1, act: { kind: 'reset', moment: 'before' } });
  proxy.add({ on: 'newOrder', times: 1, act: { kind: 'reset', moment: 'after' } });
  await expect(order(client)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await pebble.orders()).toBe(orders);
  await expect(order(client)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await pebble.orders()).toBe(orders + 1);
  expect(proxy.seen('newOrder').map(({ status, upstream }) => [status, upstream])).toEqual([
    [undefined, undefined],
    [undefined, 201],
  ]);
});

test('a CA that never answers, until the proxy is closed', async () => {
  const hole = await FaultProxy.start(pebble);
  hole.add({ on: 'any', act: { kind: 'silence' } });
  const impatient = get(hole.directory, { timeout: 50 });
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
  const held = order(client);
  await expect.poll(() => proxy.seen('newOrder').length).toBe(1);
  expect(await pebble.orders()).toBe(orders);
  gate.emit('open');
  await held;
  expect(await pebble.orders()).toBe(orders + 1);
});

test('a client that has gone away while it was held back harms nobody', async () => {
  const gate = new EventEmitter();
  const open = once(gate, 'open');
  proxy.add({ on: 'directory', times: 1, act: { kind: 'delay', by: open } });
  await expect(get(proxy.directory, { timeout: 50 })).rejects.toMatchObject({ code: 'ECONNABORTED' });
  gate.emit('open');
  await expect.poll(() => proxy.seen('directory')[0]?.upstream).toBe(200);
  expect((await get(proxy.directory)).status).toBe(200);
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
