import { once } from 'node:events';
import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type GateRig, startGateRig } from '../../test/support/gate-rig.ts';
import { writeAtomically } from '../system/files.ts';
import { readTokenPassword } from '../users/tokens.ts';

const MANIFEST = '{"schemaVersion":2}';

let rig: GateRig;

beforeEach(async () => {
  rig = await startGateRig();
});

afterEach(() => rig.stop());

describe('asked by nginx', () => {
  test.each([
    ['GET', '/v2/team/app/manifests/v1', 'ada:right', 204],
    ['GET', '/v2/other/manifests/v1', 'ada:right', 401],
    ['GET', '/v2/team/app/manifests/v1', 'ada:wrong', 401],
    ['GET', '/v2/team/app/manifests/v1', undefined, 401],
    ['PUT', '/v2/team/app/manifests/v1', 'ada:right', 401],
    ['GET', '/v2/team/../other/manifests/v1', 'ada:right', 401],
  ])('%s %s by %s: %i, and nothing else', async (method, uri, login, status) => {
    expect(await rig.ask(method, uri, login)).toMatchObject({ status, body: '' });
    expect(rig.registry.seen).toEqual([]);
  });
});

test('nginx is told for its log who it was, and by which token, and nobody’s name that is not verified', async () => {
  const password = `mrg_k3f9k3f9_${'A'.repeat(43)}`;
  const digest = readTokenPassword(password)?.digest;
  const token = { id: 'k3f9k3f9', user: 'ada', digest, created: '2026-01-01T00:00:00Z' };
  await writeAtomically(rig.files.tokensFile, JSON.stringify({ tokens: [token] }), 0o600);
  const told = async (uri: string, login?: string) => [
    (await rig.ask('GET', uri, login)).headers['x-user'],
    (await rig.leave('GET', uri, login)).headers['x-user'],
  ];
  const [allowed, denied] = ['/v2/team/app/tags/list', '/v2/other/tags/list'];
  for (const uri of [allowed, denied]) {
    expect(await told(uri, 'ada:right')).toEqual(['ada', 'ada']);
    expect(await told(uri, `ada:${password}`)).toEqual(['ada:k3f9k3f9', 'ada:k3f9k3f9']);
    for (const login of ['ada:wrong', undefined])
      expect(await told(uri, login)).toEqual([undefined, undefined]);
  }
});

test('a wrong token is noted once, by its id where there is such a token', async () => {
  const password = (id: string) => `mrg_${id}_${'A'.repeat(43)}`;
  const token = { id: 'k3f9k3f9', user: 'ada', digest: '0'.repeat(64), created: '2026-01-01T00:00:00Z' };
  await writeAtomically(rig.files.tokensFile, JSON.stringify({ tokens: [token] }), 0o600);
  for (const login of [`ada:${password('k3f9k3f9')}`, `eve:${password('00000000')}`]) {
    expect((await rig.ask('GET', '/v2/', login)).status).toBe(401);
    expect((await rig.leave('GET', '/v2/', login)).status).toBe(401);
  }
  expect(rig.events.map(({ event, user, token: id }) => [event, user, id])).toEqual([
    ['login-failed', 'ada', 'k3f9k3f9'],
    ['login-failed', null, null],
  ]);
});

test.each([
  ['GET', '/v2/team/app/tags/list'],
  ['HEAD', '/v2/team/app/tags/list'],
  ['DELETE', '/v2/team/app/blobs/uploads/an-id'],
])('the body of a %s is no request of its own', async (method, uri) => {
  const hidden = 'DELETE /v2/other/manifests/v1 HTTP/1.1\r\nHost: registry\r\n\r\n';
  const chunked = { 'transfer-encoding': 'chunked' };
  await rig.leave(method, uri, 'ada:right', hidden, 'text/plain', chunked);
  await rig.leave('GET', '/v2/team/app/tags/list', 'ada:right');
  expect(rig.registry.seen).toEqual([`${method} ${uri}`, 'GET /v2/team/app/tags/list']);
});

test('a body that nobody reads and that never ends holds up no answer', async () => {
  const asked = rig.begin('GET', '/v2/team/app/tags/list', 'ada:right');
  const [answer] = await once(asked, 'response');
  expect(answer.statusCode).toBe(200);
  asked.destroy();
});

test('a mount from where one may not pull is an upload without it, and never a form', async () => {
  const uri = `/v2/team/app/blobs/uploads/?mount=sha256:${'a'.repeat(64)}&from=secret`;
  const { status } = await rig.leave(
    'POST',
    uri,
    'ada:right',
    'from=secret',
    'application/x-www-form-urlencoded',
  );
  expect({ status, seen: rig.registry.seen }).toEqual({
    status: 202,
    seen: ['POST /v2/team/app/blobs/uploads/'],
  });
  expect(rig.registry.headers[0]).not.toHaveProperty('content-type');
});

test('a guess costs a second, what is no login at all costs nothing and is not noted', async () => {
  const began = rig.clock.now().getTime();
  expect((await rig.leave('GET', '/v2/', 'a text without a colon')).status).toBe(401);
  expect({ events: rig.events, waited: rig.clock.now().getTime() - began }).toEqual({
    events: [],
    waited: 0,
  });
  expect((await rig.leave('GET', '/v2/', 'ada:wrong')).status).toBe(401);
  expect(rig.clock.now().getTime() - began).toBe(1_000);
});

test('the catalogue is read to its end for a page of what is visible', async () => {
  for (let number = 1000; number < 3500; number += 1) rig.registry.put(`other${number}`, 'v1', MANIFEST);
  for (const name of ['team/a', 'team/b', 'team/c']) rig.registry.put(name, 'v1', MANIFEST);
  const page = await rig.leave('GET', '/v2/_catalog?n=2', 'ada:right');
  expect(JSON.parse(page.body)).toEqual({ repositories: ['team/a', 'team/b'] });
  expect(page.headers.link).toBe('</v2/_catalog?last=team%2Fb&n=2>; rel="next"');
  const rest = await rig.leave('GET', '/v2/_catalog?last=team%2Fb&n=2', 'ada:right');
  expect({ ...JSON.parse(rest.body), link: rest.headers.link }).toEqual({
    repositories: ['team/c'],
    link: undefined,
  });
  expect((await rig.leave('GET', '/v2/_catalog?n=-1', 'ada:right')).body).toContain(
    'PAGINATION_NUMBER_INVALID',
  );
  expect(JSON.parse((await rig.leave('GET', '/v2/_catalog?n=0', 'ada:right')).body)).toEqual({
    repositories: [],
  });
});

test('a refusal is answered with its reason, a wrong password like an unknown name', async () => {
  const wrong = await rig.leave('GET', '/v2/', 'ada:wrong');
  const unknown = await rig.leave('GET', '/v2/', 'nobody:wrong');
  expect(wrong).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="Moorage", charset="UTF-8"' },
  });
  expect({ status: unknown.status, body: unknown.body }).toEqual({
    status: wrong.status,
    body: wrong.body,
  });
  expect((await rig.leave('PATCH', '/v2/team/app/manifests/v1', 'ada:right')).headers.allow).toBe(
    'GET, HEAD, PUT, DELETE',
  );
  expect(rig.events.map(({ event, user }) => [event, user])).toEqual([
    ['login-failed', 'ada'],
    ['login-failed', null],
  ]);
});

test('a registry that is away is 503 with Retry-After, and told', async () => {
  await rig.registry.close();
  const answer = await rig.leave('GET', '/v2/_catalog', 'ada:right');
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect(rig.told.join()).toContain('RegistrySilent');
});

test('a gate that is told to end does so with the last answer, however long its connections are kept', async () => {
  const agent = new Agent({ keepAlive: true });
  const asked = await rig.beginPush('ada:right', agent);
  const closed = rig.gate.close();
  const answered = once(asked, 'response');
  asked.end(MANIFEST);
  const [response] = await answered;
  expect(response.statusCode).toBe(201);
  response.resume();
  await closed;
  agent.destroy();
});

test('while a file never was right, everybody is told to try again later', async () => {
  const broken = await startGateRig('users: [');
  for (const login of ['ada:right', undefined]) {
    expect((await broken.ask('GET', '/v2/', login)).status).toBe(401);
    expect(await broken.leave('GET', '/v2/', login)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '10' },
    });
  }
  await broken.stop();
});
