import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type GateRig, startGateRig } from '../../test/support/gate-rig.ts';

const MANIFEST = '{"schemaVersion":2}';

let rig: GateRig;

beforeEach(async () => {
  rig = await startGateRig();
});

afterEach(() => rig.stop());

test('a manifest is pushed with its type, and noted with its digest', async () => {
  const { status, headers } = await rig.leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', MANIFEST);
  expect({ status, seen: rig.registry.seen }).toEqual({
    status: 201,
    seen: ['HEAD /v2/team/app/manifests/v1', 'PUT /v2/team/app/manifests/v1'],
  });
  expect(rig.events).toEqual([
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
  rig.registry.put('team/app', 'v1', MANIFEST);
  const refused = await rig.leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', '{"other":true}');
  expect(refused).toMatchObject({
    status: 403,
    body: expect.stringContaining('the tag v1 of team/app is immutable'),
  });
  expect(rig.registry.seen).not.toContain('PUT /v2/team/app/manifests/v1');
  expect((await rig.leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', MANIFEST)).status).toBe(201);
  expect((await rig.leave('PUT', '/v2/team/app/manifests/v1', 'root:right', '{"other":true}')).status).toBe(
    201,
  );
});

test('what an immutable index holds can’t be deleted, two manifests deep', async () => {
  const layer = `sha256:${'b'.repeat(64)}`;
  const child = rig.registry.put('team/app', 'loose', JSON.stringify({ layers: [{ digest: layer }] }));
  rig.registry.put('team/app', 'v1', JSON.stringify({ manifests: [{ digest: child }] }));
  for (const what of [`manifests/${child}`, `blobs/${layer}`])
    expect((await rig.leave('DELETE', `/v2/team/app/${what}`, 'ada:right')).status).toBe(403);
  const free = rig.registry.put('team/app', 'other', '{"free":true}');
  expect((await rig.leave('DELETE', `/v2/team/app/manifests/${free}`, 'ada:right')).status).toBe(202);
});

test('a manifest of more than 4 MiB is refused before the registry hears of it', async () => {
  const large = await rig.leave(
    'PUT',
    '/v2/team/app/manifests/x',
    'ada:right',
    ' '.repeat(4 * 1024 * 1024 + 1),
  );
  expect(large.status).toBe(413);
  expect(rig.registry.seen).toEqual([]);
});

test('an index that names the same manifest again and again is looked through once', async () => {
  let digest = rig.registry.put('team/app', 'loose', MANIFEST);
  for (let depth = 0; depth < 12; depth += 1)
    digest = rig.registry.put(
      'team/app',
      'loose',
      JSON.stringify({ depth, manifests: [{ digest }, { digest }] }),
    );
  rig.registry.put('team/app', 'v1', JSON.stringify({ manifests: [{ digest }] }));
  const free = rig.registry.put('team/app', 'other', '{"free":true}');
  expect((await rig.leave('DELETE', `/v2/team/app/manifests/${free}`, 'ada:right')).status).toBe(202);
  expect(rig.registry.seen.length).toBeLessThan(20);
});

test('a push by digest writes no tags, though the spec has a way to ask for them', async () => {
  const uri = `/v2/team/app/manifests/sha256:${'a'.repeat(64)}`;
  await rig.leave('PUT', `${uri}?tag=v1&tag=v2`, 'ada:right', MANIFEST);
  expect(rig.registry.seen).toEqual([`PUT ${uri}`]);
});

test('who sends many of the largest manifests, and slowly, is out of room, and nobody else', async () => {
  const push = (login: string) => rig.leave('PUT', '/v2/team/app/manifests/x', login, MANIFEST);
  const begun = await Promise.all(Array.from({ length: 16 }, () => rig.beginPush('ada:right')));
  await vi.waitFor(async () =>
    expect(await push('ada:right')).toMatchObject({ status: 503, headers: { 'retry-after': '5' } }),
  );
  expect((await push('root:right')).status).toBe(201);
  for (const asked of begun) asked.once('error', () => undefined).destroy();
  await vi.waitFor(async () => expect((await push('ada:right')).status).toBe(201));
  expect(rig.told).toEqual([]);
});
