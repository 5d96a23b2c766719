import { afterEach, beforeEach, expect, test } from 'vitest';
import { type GateRig, startGateRig } from '../../test/support/gate-rig.ts';
import { aboutMirror } from './mirror.ts';

const ACCESS = `
users:
  ada: [pull:mirror/**, push:team/**]
  root: [admin]
anonymous: [pull:mirror/public/**]
`;

let rig: GateRig;

beforeEach(async () => {
  rig = await startGateRig(ACCESS);
});

afterEach(() => rig.stop());

const ON_MIRROR = { 'x-part': 'mirror' };

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['GET', '/v2/mirror/a/manifests/1', 'ada:right', 204],
  ['HEAD', `/v2/mirror/a/blobs/${digest}`, 'ada:right', 204],
  ['GET', '/v2/mirror/public/a/tags/list', undefined, 204],
  ['GET', '/v2/', 'ada:right', 204],
  ['GET', '/v2/mirror/a/manifests/1', undefined, 401],
  ['GET', '/v2/mirror/a/manifests/1', 'ada:wrong', 401],
  ['GET', '/v2/', undefined, 401],
  ['GET', '/v2/_catalog', 'root:right', 401],
  ['GET', '/v2/mirror/_catalog', 'root:right', 401],
  ['PUT', '/v2/mirror/a/manifests/1', 'root:right', 401],
  ['DELETE', `/v2/mirror/a/blobs/${digest}`, 'root:right', 401],
  ['POST', '/v2/mirror/a/blobs/uploads/', 'root:right', 401],
  ['GET', '', 'root:right', 401],
])('asked about the mirror, %s %s by %s: %i', async (method, uri, login, status) => {
  expect((await rig.ask(method, uri, login, ON_MIRROR)).status).toBe(status);
  expect(rig.registry.seen).toEqual([]);
});

test.each([
  ['GET', '/v2/mirror/a/manifests/1', 'ada:right', 503],
  ['GET', '/v2/', 'ada:right', 503],
  ['GET', '/v2/_catalog', 'root:right', 405],
  ['PUT', '/v2/mirror/a/manifests/1', 'root:right', 405],
  ['DELETE', '/v2/mirror/a/manifests/1', 'root:right', 405],
  ['POST', '/v2/mirror/a/blobs/uploads/', 'root:right', 405],
  ['GET', '/v2/team/a/manifests/1', 'ada:right', 503],
  ['GET', '', 'root:right', 400],
])('%s %s is never answered with what the registry has: %i', async (method, uri, login, status) => {
  rig.registry.put('mirror/a', '1', '{}');
  rig.registry.put('team/a', '1', '{}');
  const left = await rig.leave(method, uri, login, undefined, 'application/json', ON_MIRROR);
  expect(left.status).toBe(status);
  expect(rig.registry.seen).toEqual([]);
});

test('who comes without a login is asked for a token, and given one', async () => {
  const asked = await rig.leave('GET', '/v2/', undefined, undefined, 'application/json', ON_MIRROR);
  expect(asked.headers['www-authenticate']).toMatch(/^Bearer realm=/);
  const given = await rig.leave('GET', '/v2/token', undefined, undefined, 'application/json', ON_MIRROR);
  expect(JSON.parse(given.body)).toMatchObject({ expires_in: 300 });
});

test('what the gate would answer itself about the registry passes to the mirror', () => {
  const task = { kind: 'handle', task: { kind: 'list-repositories' } } as const;
  expect(aboutMirror({ action: 'pull' }, task)).toEqual({ kind: 'pass' });
});
