import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { writeAtomically } from '../../src/system/files.ts';
import type { Checkout } from '../support/checkout.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import type { RegistryCalls } from '../support/registry-calls.ts';

const ACCESS = `
users:
  admin: [admin]
  puller: [pull:team/**, pull:base]
  pusher: [push:team/**]
  deleter: [delete:team/**]
groups:
  robots:
    members: [robot]
    allow: [push:robots/**]
everyone: [pull:shared]
anonymous: [pull:public/**]
immutable: ['team/**:v*']
`;
const NAMES = ['puller', 'pusher', 'deleter', 'robot', 'nobody-special'] as const;
const UNKNOWN_DIGEST = `sha256:${'0'.repeat(64)}`;

let stack: GuardedStack;
let checkout: Checkout;
let calls: RegistryCalls;
const as = (name: string) => stack.login(name);
const setAccess = (text: string) => stack.setAccess(text);

beforeAll(async () => {
  stack = await GuardedStack.open(ACCESS, NAMES);
  ({ checkout, calls } = stack);
  for (const repository of ['team/app', 'secret/app', 'shared', 'public/app', 'robots/arm'])
    expect(await calls.pushImage(repository, 'latest', as('admin'), repository)).toMatchObject({
      status: 201,
    });
});

afterAll(() => stack?.checkout.dispose());

describe('every route of the distribution spec, by every role', () => {
  const CALLERS = [undefined, 'nobody-special', 'puller', 'pusher', 'deleter', 'admin'] as const;

  /** What each of CALLERS is answered. 404 and 400 come from the registry, so the request got through. */
  const TABLE: readonly (readonly [string, string, readonly number[]])[] = [
    ['GET', '/v2/', [401, 200, 200, 200, 200, 200]],
    ['HEAD', '/v2/', [401, 200, 200, 200, 200, 200]],
    ['GET', '/v2/_catalog', [401, 200, 200, 200, 200, 200]],
    ['GET', '/v2/team/app/tags/list', [401, 403, 200, 200, 200, 200]],
    ['GET', '/v2/team/app/manifests/latest', [401, 403, 200, 200, 200, 200]],
    ['HEAD', '/v2/team/app/manifests/latest', [401, 403, 200, 200, 200, 200]],
    ['GET', `/v2/team/app/manifests/${UNKNOWN_DIGEST}`, [401, 403, 404, 404, 404, 404]],
    ['PUT', '/v2/team/app/manifests/broken', [401, 403, 403, 400, 403, 400]],
    ['PUT', `/v2/team/app/manifests/${UNKNOWN_DIGEST}`, [401, 403, 403, 400, 403, 400]],
    ['DELETE', `/v2/team/app/manifests/${UNKNOWN_DIGEST}`, [401, 403, 403, 403, 404, 404]],
    ['GET', `/v2/team/app/blobs/${UNKNOWN_DIGEST}`, [401, 403, 404, 404, 404, 404]],
    ['HEAD', `/v2/team/app/blobs/${UNKNOWN_DIGEST}`, [401, 403, 404, 404, 404, 404]],
    ['DELETE', `/v2/team/app/blobs/${UNKNOWN_DIGEST}`, [401, 403, 403, 403, 404, 404]],
    ['POST', '/v2/team/app/blobs/uploads/', [401, 403, 403, 202, 403, 202]],
    ['GET', '/v2/team/app/blobs/uploads/no-such', [401, 403, 403, 404, 403, 404]],
    ['PATCH', '/v2/team/app/blobs/uploads/no-such', [401, 403, 403, 404, 403, 404]],
    ['PUT', `/v2/team/app/blobs/uploads/no-such?digest=${UNKNOWN_DIGEST}`, [401, 403, 403, 404, 403, 404]],
    ['DELETE', '/v2/team/app/blobs/uploads/no-such', [401, 403, 403, 404, 403, 404]],
    ['GET', `/v2/team/app/referrers/${UNKNOWN_DIGEST}`, [401, 403, 404, 404, 404, 404]],
    ['GET', '/v2/shared/manifests/latest', [401, 200, 200, 200, 200, 200]],
    ['GET', '/v2/public/app/manifests/latest', [200, 200, 200, 200, 200, 200]],
    ['PUT', '/v2/public/app/manifests/broken', [401, 403, 403, 403, 403, 400]],
    ['GET', '/v2/secret/app/manifests/latest', [401, 403, 403, 403, 403, 200]],
    ['POST', '/v2/team/app/manifests/latest', [405, 405, 405, 405, 405, 405]],
  ];

  test.each(TABLE)('%s %s', async (method, uri, expected) => {
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
    const answered = await Promise.all(
      CALLERS.map(async (name) => {
        const { status } = await calls.ask(method, uri, { as: name && as(name), headers });
        return status;
      }),
    );
    expect(answered).toEqual(expected);
  });

  test('a refusal is an error of the spec, and asks a browser for a password only where one may help', async () => {
    const nobody = await calls.ask('GET', '/v2/team/app/tags/list');
    expect(nobody.codes).toEqual(['UNAUTHORIZED']);
    expect(nobody.headers['www-authenticate']).toBe('Basic realm="Moorage", charset="UTF-8"');
    const denied = await calls.ask('GET', '/v2/secret/app/tags/list', { as: as('puller') });
    expect(denied.codes).toEqual(['DENIED']);
    expect(denied.headers['www-authenticate']).toBeUndefined();
  });
});

describe('what is shown', () => {
  const repositories = async (name: string, query = '') => {
    const { text, headers } = await calls.ask('GET', `/v2/_catalog${query}`, { as: as(name) });
    const { repositories: found }: { repositories: string[] } = JSON.parse(text);
    return { found: found.filter((each) => !each.startsWith('moorage/')), link: headers.link };
  };

  test('the catalogue has what the caller may pull, and nothing else', async () => {
    expect((await repositories('admin')).found).toEqual([
      'public/app',
      'robots/arm',
      'secret/app',
      'shared',
      'team/app',
    ]);
    expect((await repositories('puller')).found).toEqual(['public/app', 'shared', 'team/app']);
    expect((await repositories('robot')).found).toEqual(['public/app', 'robots/arm', 'shared']);
    expect((await repositories('nobody-special')).found).toEqual(['public/app', 'shared']);
  });

  test('its pages are full of what is visible, and their links lead on', async () => {
    const first = await repositories('puller', '?n=2');
    expect(first.found).toEqual(['public/app', 'shared']);
    expect(first.link).toBe('</v2/_catalog?last=shared&n=2>; rel="next"');
    expect(await repositories('puller', '?last=shared&n=2')).toEqual({
      found: ['team/app'],
      link: undefined,
    });
  });
});

describe('mounting a blob from another repository', () => {
  const mount = (digest: string, from: string, options: object = {}) =>
    calls.ask('POST', `/v2/team/mounted/blobs/uploads/?mount=${digest}&from=${from}`, {
      as: as('pusher'),
      ...options,
    });

  test('works from where the caller may pull', async () => {
    const digest = await calls.pushBlob('team/app', 'common', as('pusher'));
    expect((await mount(digest, 'team/app')).status).toBe(201);
  });

  test('from elsewhere it becomes an ordinary upload, as if the blob were not there', async () => {
    const digest = await calls.pushBlob('secret/app', 'a secret', as('admin'));
    const answer = await mount(digest, 'secret/app');
    expect(answer.status).toBe(202);
    expect(answer.headers.location).toContain('/v2/team/mounted/blobs/uploads/');
    expect((await calls.ask('GET', `/v2/team/mounted/blobs/${digest}`, { as: as('pusher') })).status).toBe(
      404,
    );
  });

  test.each([
    ['in a form', 'application/x-www-form-urlencoded', (d: string) => `mount=${d}&from=secret/app`],
    [
      'in a form of parts',
      'multipart/form-data; boundary=x',
      (d: string) =>
        `--x\r\nContent-Disposition: form-data; name="mount"\r\n\r\n${d}\r\n--x\r\nContent-Disposition: form-data; name="from"\r\n\r\nsecret/app\r\n--x--\r\n`,
    ],
  ])('%s, which distribution would read as well, it does not count', async (_, type, body) => {
    const digest = await calls.pushBlob('secret/app', 'another secret', as('admin'));
    await calls.ask('POST', '/v2/team/mounted/blobs/uploads/', {
      as: as('pusher'),
      headers: { 'content-type': type },
      body: body(digest),
    });
    expect((await calls.ask('GET', `/v2/team/mounted/blobs/${digest}`, { as: as('pusher') })).status).toBe(
      404,
    );
  });
});

test.each([
  '/v2/public/app/../../secret/app/manifests/latest',
  '/v2/public/app%2f..%2f..%2fsecret/app/manifests/latest',
  '/v2/public/..%2fsecret/app/manifests/latest',
  '/v2/secret%2fapp/manifests/latest',
  '/v2//secret/app/manifests/latest',
  '/v2/./secret/app/manifests/latest',
  '//v2/secret/app/manifests/latest',
  '/public/../v2/secret/app/manifests/latest',
  '/v2/SECRET/app/manifests/latest',
  '/v2/secret/app/manifests/latest?x=/v2/public/app/manifests/latest',
  '/v2/secret/app/manifests/latest%00',
  '/v2/secret/app/manifests/latest/',
  '/v2/secret/app\\manifests\\latest',
  `/v2/${'a/'.repeat(200)}b/manifests/latest`,
])('no way of writing a path leads puller to what they may not see: %s', async (path) => {
  const { status, text } = await calls.ask('GET', path, {
    as: as('puller'),
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  expect([400, 403, 404]).toContain(status);
  expect(text).not.toContain('schemaVersion');
});

describe('immutable tags', () => {
  test('keep their digest: the same image may be pushed again, another may not', async () => {
    const first = await calls.pushImage('team/app', 'v1', as('pusher'), 'one');
    expect(first.status).toBe(201);
    expect((await calls.pushImage('team/app', 'v1', as('pusher'), 'one')).status).toBe(201);
    const second = await calls.pushImage('team/app', 'v1', as('pusher'), 'two');
    expect({ status: second.status, codes: second.codes }).toEqual({ status: 403, codes: ['DENIED'] });
    expect(second.text).toContain('the tag v1 of team/app is immutable');
  });

  test('of pushes at the same time one wins, and the others are told so', async () => {
    const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
    const pushed = await Promise.all(
      labels.map((label) => calls.pushImage('team/app', 'v-race', as('pusher'), label)),
    );
    expect(pushed.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403, 403, 403]);
    const winner = pushed.find(({ status }) => status === 201);
    const { headers } = await calls.ask('HEAD', '/v2/team/app/manifests/v-race', {
      as: as('puller'),
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(headers['docker-content-digest']).toBe(winner?.digest);
  });

  test('can’t be deleted, neither by name nor by digest, nor what they are made of', async () => {
    const { digest } = await calls.pushImage('team/app', 'v2', as('pusher'));
    const config = await calls.pushBlob('team/app', JSON.stringify({ label: 'v2' }), as('pusher'));
    for (const what of ['manifests/v2', `manifests/${digest}`, `blobs/${config}`]) {
      const { status } = await calls.ask('DELETE', `/v2/team/app/${what}`, { as: as('deleter') });
      expect([what, status]).toEqual([what, 403]);
    }
    const loose = await calls.pushImage('team/app', 'loose', as('pusher'));
    expect(
      (await calls.ask('DELETE', `/v2/team/app/manifests/${loose.digest}`, { as: as('deleter') })).status,
    ).toBe(202);
  });

  test('yield to an admin', async () => {
    expect((await calls.pushImage('team/app', 'v1', as('admin'), 'three')).status).toBe(201);
  });
});

describe('the files', () => {
  test('a change of access.yaml is in force without anything being restarted', async () => {
    const ask = () => calls.ask('GET', '/v2/secret/app/tags/list', { as: as('puller') });
    expect((await ask()).status).toBe(403);
    await setAccess(ACCESS.replace('pull:base', 'pull:secret/**'));
    await becomes(ask, 200);
    await setAccess(ACCESS);
    await becomes(ask, 403);
  });

  test('a new user gets in at once, a removed one stays out at once', async () => {
    await checkout.command('user', ['add', 'newcomer', '--password-stdin'], { input: 'newcomer-password' });
    const ask = () => calls.ask('GET', '/v2/', { as: 'newcomer:newcomer-password' });
    expect((await ask()).status).toBe(200);
    await checkout.command('user', ['remove', 'newcomer']);
    await becomes(ask, 401);
  });

  test('a malformed access.yaml is told with file and line, and the last good one stays in force, over restarts too', async () => {
    await setAccess('users:\n  puller: [pul:secret/**]\n');
    const status = async () => (await checkout.command('status')).stdout;
    await expect.poll(status, { timeout: 20_000 }).toMatch(/access\.yaml:2: .*pul/);
    const asPuller = async (path: string) => (await calls.ask('GET', path, { as: as('puller') })).status;
    expect(await asPuller('/v2/team/app/tags/list')).toBe(200);
    expect(await asPuller('/v2/secret/app/tags/list')).toBe(403);
    await checkout.compose('restart', 'gate');
    await becomes(() => calls.ask('GET', '/v2/team/app/tags/list', { as: as('puller') }), 200);
    expect(await asPuller('/v2/secret/app/tags/list')).toBe(403);
    await setAccess(ACCESS);
    await expect.poll(status, { timeout: 20_000 }).not.toContain('access.yaml:2');
  });

  test('a users file with another hash than bcrypt is refused by name, and the old one stays', async () => {
    const file = join(checkout.root, 'registry/auth/registry.password');
    const before = await readFile(file, 'utf8');
    await writeAtomically(file, `${before}weak:$apr1$abc$def\n`, 0o600);
    await expect
      .poll(async () => (await checkout.command('status')).stdout, { timeout: 20_000 })
      .toMatch(/registry\.password:\d+: the password of weak is not hashed by bcrypt/);
    expect((await calls.ask('GET', '/v2/', { as: as('puller') })).status).toBe(200);
    await writeAtomically(file, before, 0o600);
  });
});

describe('wrong passwords', () => {
  test('are throttled with 429 and Retry-After, while who has logged in before goes on', async () => {
    expect((await calls.ask('GET', '/v2/', { as: as('puller') })).status).toBe(200);
    const guess = (number: number) => calls.ask('GET', '/v2/', { as: `puller:${number}` });
    const answers = [];
    for (let number = 0; number < 20; number += 4)
      answers.push(...(await Promise.all([0, 1, 2, 3].map((more) => guess(number + more)))));
    const throttled = answers.filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(0);
    expect(Number(throttled[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect(throttled[0]?.codes).toEqual(['TOOMANYREQUESTS']);
    expect((await calls.ask('GET', '/v2/', { as: as('puller') })).status).toBe(200);
  });
});

test('the audit log has who did what, from where, and no secret', async () => {
  const text = await readFile(join(checkout.root, 'var/gate/audit.log'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const push = lines.find(({ event, tag }) => event === 'push' && tag === 'v1');
  expect(push).toMatchObject({ user: 'pusher', repository: 'team/app', status: 201 });
  expect(push.digest).toMatch(/^sha256:/);
  expect(Date.parse(push.at)).toBeGreaterThan(0);
  expect(push.address).toMatch(/^[\d.]+$/);
  for (const event of ['login-failed', 'throttled', 'denied', 'delete'])
    expect(lines.some((line) => line.event === event)).toBe(true);
  const logs = (await checkout.compose('logs')).stdout;
  for (const name of ['admin', ...NAMES]) {
    expect(text + logs).not.toContain(stack.password(name));
    expect(logs).not.toContain(Buffer.from(stack.login(name)).toString('base64'));
  }
});

async function becomes(ask: () => Promise<{ status: number }>, status: number): Promise<void> {
  await vi.waitFor(async () => expect((await ask()).status).toBe(status), { timeout: 20_000, interval: 50 });
}
