import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { type SmallRegistry, startSmallRegistry } from '../../test/support/small-registry.ts';
import { Secret } from '../secret.ts';
import { writeAtomically } from '../system/files.ts';
import { hashPassword } from '../users/password.ts';
import type { AuditEvent } from './audit.ts';
import { Gate } from './gate.ts';
import type { Comparison, Hasher } from './hasher.ts';
import { LastUse } from './last-use.ts';
import { Rulebook } from './rulebook.ts';
import { Upstream } from './upstream.ts';
import { Verifier } from './verifier.ts';

const ACCESS = `
users:
  ada: [push:team/**, delete:team/**]
  root: [admin]
immutable: ['team/**:v*']
`;
const MANIFEST = '{"schemaVersion":2}';

const clock = new FakeClock('2026-01-01T00:00:00Z');

let folder: string;
let registry: SmallRegistry;
let gate: Gate;
let upstream: Upstream;
let events: AuditEvent[];
let told: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-'));
  registry = await startSmallRegistry(join(folder, 'registry.sock'));
  events = [];
  told = [];
  const files = filesIn(folder);
  const hash = await hashPassword(new Secret('right'), 4);
  await writeAtomically(files.usersFile, `ada:${hash}\nroot:${hash}\n`, 0o600);
  await writeAtomically(files.accessFile, ACCESS, 0o600);
  upstream = new Upstream(join(folder, 'registry.sock'));
  gate = await openGate(await Rulebook.open(files, clock, (line) => told.push(line)));
});

afterEach(async () => {
  await gate.close();
  upstream.close();
  await registry.close().catch(() => undefined);
});

describe('asked by nginx', () => {
  test.each([
    ['GET', '/v2/team/app/manifests/v1', 'ada:right', 204],
    ['GET', '/v2/other/manifests/v1', 'ada:right', 401],
    ['GET', '/v2/team/app/manifests/v1', 'ada:wrong', 401],
    ['GET', '/v2/team/app/manifests/v1', undefined, 401],
    ['PUT', '/v2/team/app/manifests/v1', 'ada:right', 401],
    ['GET', '/v2/team/../other/manifests/v1', 'ada:right', 401],
  ])('%s %s by %s: %i, and nothing else', async (method, uri, login, status) => {
    expect(await ask(method, uri, login)).toMatchObject({ status, body: '' });
    expect(registry.seen).toEqual([]);
  });
});

describe('left to the gate', () => {
  test('a manifest is pushed with its type, and noted with its digest', async () => {
    const { status, headers } = await leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', MANIFEST);
    expect({ status, seen: registry.seen }).toEqual({
      status: 201,
      seen: ['HEAD /v2/team/app/manifests/v1', 'PUT /v2/team/app/manifests/v1'],
    });
    expect(events).toEqual([
      {
        event: 'push',
        user: 'ada',
        token: undefined,
        address: '192.0.2.1',
        repository: 'team/app',
        tag: 'v1',
        digest: headers['docker-content-digest'],
        status: 201,
      },
    ]);
  });

  test('another manifest under an immutable tag never reaches the registry', async () => {
    registry.put('team/app', 'v1', MANIFEST);
    const refused = await leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', '{"other":true}');
    expect(refused).toMatchObject({
      status: 403,
      body: expect.stringContaining('the tag v1 of team/app is immutable'),
    });
    expect(registry.seen).not.toContain('PUT /v2/team/app/manifests/v1');
    expect((await leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', MANIFEST)).status).toBe(201);
    expect((await leave('PUT', '/v2/team/app/manifests/v1', 'root:right', '{"other":true}')).status).toBe(
      201,
    );
  });

  test('what an immutable index holds can’t be deleted, two manifests deep', async () => {
    const layer = `sha256:${'b'.repeat(64)}`;
    const child = registry.put('team/app', 'loose', JSON.stringify({ layers: [{ digest: layer }] }));
    registry.put('team/app', 'v1', JSON.stringify({ manifests: [{ digest: child }] }));
    for (const what of [`manifests/${child}`, `blobs/${layer}`])
      expect((await leave('DELETE', `/v2/team/app/${what}`, 'ada:right')).status).toBe(403);
    const free = registry.put('team/app', 'other', '{"free":true}');
    expect((await leave('DELETE', `/v2/team/app/manifests/${free}`, 'ada:right')).status).toBe(202);
  });

  test('a manifest of more than 4 MiB is refused before the registry hears of it', async () => {
    const large = await leave(
      'PUT',
      '/v2/team/app/manifests/x',
      'ada:right',
      ' '.repeat(4 * 1024 * 1024 + 1),
    );
    expect(large.status).toBe(413);
    expect(registry.seen).toEqual([]);
  });

  test('an index that names the same manifest again and again is looked through once', async () => {
    let digest = registry.put('team/app', 'loose', MANIFEST);
    for (let depth = 0; depth < 12; depth += 1)
      digest = registry.put(
        'team/app',
        'loose',
        JSON.stringify({ depth, manifests: [{ digest }, { digest }] }),
      );
    registry.put('team/app', 'v1', JSON.stringify({ manifests: [{ digest }] }));
    const free = registry.put('team/app', 'other', '{"free":true}');
    expect((await leave('DELETE', `/v2/team/app/manifests/${free}`, 'ada:right')).status).toBe(202);
    expect(registry.seen.length).toBeLessThan(20);
  });

  test('a push by digest writes no tags, though the spec has a way to ask for them', async () => {
    const uri = `/v2/team/app/manifests/sha256:${'a'.repeat(64)}`;
    await leave('PUT', `${uri}?tag=v1&tag=v2`, 'ada:right', MANIFEST);
    expect(registry.seen).toEqual([`PUT ${uri}`]);
  });

  test('a wrong token is noted once, by its id where there is such a token', async () => {
    const password = (id: string) => `mrg_${id}_${'A'.repeat(43)}`;
    const token = { id: 'k3f9k3f9', user: 'ada', digest: '0'.repeat(64), created: '2026-01-01T00:00:00Z' };
    await writeAtomically(filesIn(folder).tokensFile, JSON.stringify({ tokens: [token] }), 0o600);
    for (const login of [`ada:${password('k3f9k3f9')}`, `eve:${password('00000000')}`]) {
      expect((await ask('GET', '/v2/', login)).status).toBe(401);
      expect((await leave('GET', '/v2/', login)).status).toBe(401);
    }
    expect(events.map(({ event, user, token: id }) => [event, user, id])).toEqual([
      ['login-failed', 'ada', 'k3f9k3f9'],
      ['login-failed', null, null],
    ]);
  });

  test('a mount from where one may not pull is an upload without it, and never a form', async () => {
    const uri = `/v2/team/app/blobs/uploads/?mount=sha256:${'a'.repeat(64)}&from=secret`;
    const { status } = await leave(
      'POST',
      uri,
      'ada:right',
      'from=secret',
      'application/x-www-form-urlencoded',
    );
    expect({ status, seen: registry.seen }).toEqual({
      status: 202,
      seen: ['POST /v2/team/app/blobs/uploads/'],
    });
    expect(registry.headers[0]).not.toHaveProperty('content-type');
  });

  test('the catalogue is read to its end for a page of what is visible', async () => {
    for (let number = 1000; number < 3500; number += 1) registry.put(`other${number}`, 'v1', MANIFEST);
    for (const name of ['team/a', 'team/b', 'team/c']) registry.put(name, 'v1', MANIFEST);
    const page = await leave('GET', '/v2/_catalog?n=2', 'ada:right');
    expect(JSON.parse(page.body)).toEqual({ repositories: ['team/a', 'team/b'] });
    expect(page.headers.link).toBe('</v2/_catalog?last=team%2Fb&n=2>; rel="next"');
    const rest = await leave('GET', '/v2/_catalog?last=team%2Fb&n=2', 'ada:right');
    expect({ ...JSON.parse(rest.body), link: rest.headers.link }).toEqual({
      repositories: ['team/c'],
      link: undefined,
    });
    expect((await leave('GET', '/v2/_catalog?n=-1', 'ada:right')).body).toContain(
      'PAGINATION_NUMBER_INVALID',
    );
    expect(JSON.parse((await leave('GET', '/v2/_catalog?n=0', 'ada:right')).body)).toEqual({
      repositories: [],
    });
  });

  test('a refusal is answered with its reason, a wrong password like an unknown name', async () => {
    const wrong = await leave('GET', '/v2/', 'ada:wrong');
    const unknown = await leave('GET', '/v2/', 'nobody:wrong');
    expect(wrong).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="Moorage", charset="UTF-8"' },
    });
    expect({ status: unknown.status, body: unknown.body }).toEqual({
      status: wrong.status,
      body: wrong.body,
    });
    expect((await leave('PATCH', '/v2/team/app/manifests/v1', 'ada:right')).headers.allow).toBe(
      'GET, HEAD, PUT, DELETE',
    );
    expect(events.map(({ event, user }) => [event, user])).toEqual([
      ['login-failed', 'ada'],
      ['login-failed', null],
    ]);
  });

  test('a registry that is away is 503 with Retry-After, and told', async () => {
    await registry.close();
    const answer = await leave('GET', '/v2/_catalog', 'ada:right');
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    expect(told.join()).toContain('RegistrySilent');
  });
});

test('while a file never was right, everybody is told to try again later', async () => {
  await gate.close();
  const files = { ...filesIn(folder), gate: join(folder, 'another') };
  await writeAtomically(files.accessFile, 'users: [', 0o600);
  gate = await openGate(await Rulebook.open(files, clock, () => undefined));
  for (const login of ['ada:right', undefined]) {
    expect((await ask('GET', '/v2/', login)).status).toBe(401);
    expect(await leave('GET', '/v2/', login)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '10' },
    });
  }
});

test('a gate that is told to end does so with the last answer, however long its connections are kept', async () => {
  const agent = new Agent({ keepAlive: true });
  const asked = await beginPush('ada:right', agent);
  const closed = gate.close();
  const answered = once(asked, 'response');
  asked.end(MANIFEST);
  const [response] = await answered;
  expect(response.statusCode).toBe(201);
  response.resume();
  await closed;
  agent.destroy();
});

test('who sends many of the largest manifests, and slowly, is out of room, and nobody else', async () => {
  const push = (login: string) => leave('PUT', '/v2/team/app/manifests/x', login, MANIFEST);
  const begun = await Promise.all(Array.from({ length: 16 }, () => beginPush('ada:right')));
  await vi.waitFor(async () =>
    expect(await push('ada:right')).toMatchObject({ status: 503, headers: { 'retry-after': '5' } }),
  );
  expect((await push('root:right')).status).toBe(201);
  for (const asked of begun) asked.once('error', () => undefined).destroy();
  await vi.waitFor(async () => expect((await push('ada:right')).status).toBe(201));
  expect(told).toEqual([]);
});

function filesIn(root: string) {
  return {
    usersFile: join(root, 'registry.password'),
    accessFile: join(root, 'access.yaml'),
    tokensFile: join(root, 'tokens.json'),
    root,
    gate: join(root, 'gate'),
  };
}

async function openGate(rules: Rulebook): Promise<Gate> {
  const opened = new Gate({
    rules,
    verifier: new Verifier({ hasher: byPassword, clock, ttl: 60_000, highestCost: () => 4 }),
    audit: { write: (event) => events.push(event) },
    lastUse: await LastUse.open(join(folder, 'last-used.json'), clock),
    clock,
    upstream,
    tell: (line) => told.push(line),
  });
  await opened.listen(join(folder, 'gate.sock'));
  return opened;
}

/** The password `right` is right for everybody. */
const byPassword: Hasher = {
  compare: async ({ password }: Comparison) => ({ kind: password.reveal() === 'right' ? 'right' : 'wrong' }),
};

function ask(method: string, uri: string, login: string | undefined) {
  return send('GET', '/ask', { 'x-method': method, 'x-uri': uri, ...authorization(login) });
}

function leave(
  method: string,
  uri: string,
  login: string | undefined,
  body?: string,
  type = 'application/json',
) {
  const headers = { 'x-method': method, 'x-uri': uri, 'content-type': type, ...authorization(login) };
  return send(method, uri, headers, body);
}

/** A push of a manifest of no known size that the gate has been asked for, and of which nothing has come yet. */
async function beginPush(login: string, agent: Agent | false = false) {
  const uri = '/v2/team/app/manifests/v1';
  const asked = request({
    socketPath: join(folder, 'gate.sock'),
    agent,
    method: 'PUT',
    headers: {
      'x-method': 'PUT',
      'x-uri': uri,
      'x-address': '192.0.2.1',
      expect: '100-continue',
      ...authorization(login),
    },
  });
  asked.flushHeaders();
  await once(asked, 'continue');
  return asked;
}

function authorization(login: string | undefined): Record<string, string> {
  return login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

function send(method: string, path: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const asked = request({
        socketPath: join(folder, 'gate.sock'),
        method,
        path,
        headers: { 'x-address': '192.0.2.1', ...headers },
        agent: false,
      });
      asked.once('error', reject);
      asked.once('response', (response) => {
        text(response).then(
          (content) =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: content }),
          reject,
        );
      });
      asked.end(body);
    },
  );
}
