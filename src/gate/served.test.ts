import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type GateRig, startGateRig } from '../../test/support/gate-rig.ts';
import { RegistryDisk } from '../../test/support/registry-disk.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: OCI });
const URI = '/v2/team/app/manifests/v1';

let disk: RegistryDisk;
let rig: GateRig;

beforeEach(async () => {
  disk = await RegistryDisk.make();
  rig = await startGateRig(undefined, undefined, disk.root);
});

afterEach(() => rig.stop());

describe('asked about a blob', () => {
  const named = async (digest: string, headers: Record<string, string> = {}, repository = 'team/app') => {
    const answer = await rig.ask('GET', `/v2/${repository}/blobs/${digest}`, 'ada:right', headers);
    return { status: answer.status, blob: answer.headers['x-blob'], digest: answer.headers['x-digest'] };
  };

  test('the gate names the file of one that is linked', async () => {
    const digest = await disk.layer('team/app', 'layer');
    const blob = `/blobs/sha256/${digest.slice(7, 9)}/${digest.slice(7)}/data`;
    expect(await named(digest)).toEqual({ status: 204, blob, digest });
  });

  test('it names none that is not, or that the caller may not pull', async () => {
    const digest = await disk.layer('other', 'layer');
    expect(await named(digest)).toEqual({ status: 204, blob: undefined, digest: undefined });
    expect(await named(digest, {}, 'other')).toEqual({ status: 401, blob: undefined, digest: undefined });
  });

  test('nor for a deletion', async () => {
    const digest = await disk.layer('team/app', 'layer');
    const answer = await rig.ask('DELETE', `/v2/team/app/blobs/${digest}`, 'ada:right');
    expect(answer.status).toBe(401);
    expect(answer.headers).not.toHaveProperty('x-blob');
  });

  test.each([
    ['bytes=0-0', true],
    ['bytes=0-', true],
    ['bytes=4-4', true],
    ['bytes=0-99', true],
    ['bytes=-1', true],
    ['bytes=-99', true],
    ['bytes=5-', false],
    ['bytes=2-1', false],
    ['bytes=-0', false],
    ['bytes=0-0,2-2', false],
    ['bytes=', false],
    ['bytes=-', false],
    ['bytes= 0-1', false],
    ['BYTES=0-1', false],
    ['lines=0-1', false],
    ['bytes=0-99999999999999999999', false],
  ])('of five bytes, %s: %s', async (range, named5) => {
    const digest = await disk.layer('team/app', 'layer');
    expect((await named(digest, { range })).blob !== undefined).toBe(named5);
  });

  test('an empty one has no ranges, and a condition is the registry’s', async () => {
    const empty = await disk.layer('team/app', '');
    expect((await named(empty)).blob).toBeDefined();
    expect((await named(empty, { range: 'bytes=-1' })).blob).toBeUndefined();
    expect((await named(empty, { 'x-conditional': 'yes' })).blob).toBeUndefined();
  });
});

describe('a manifest', () => {
  const get = (headers: Record<string, string>, method = 'GET', login = 'ada:right') =>
    rig.leave(method, URI, login, undefined, undefined, headers);

  test('is answered without the registry, in the words of distribution', async () => {
    const digest = await disk.manifest('team/app', 'v1', MANIFEST);
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await get({ accept: OCI }, method);
      expect({ status, body }).toEqual({ status: 200, body: method === 'GET' ? MANIFEST : '' });
      expect(headers).toMatchObject({
        'content-type': OCI,
        'content-length': String(MANIFEST.length),
        'docker-content-digest': digest,
        etag: `"${digest}"`,
        'docker-distribution-api-version': 'registry/2.0',
        'x-content-type-options': 'nosniff',
        'x-user': 'ada',
      });
    }
    expect(rig.registry.seen).toEqual([]);
  });

  test.each([
    [OCI, true],
    [`${INDEX}, ${OCI}`, true],
    [`${INDEX},${OCI};q=0.5`, true],
    [`${OCI} ; q=0.5 , */*`, true],
    ['', false],
    ['*/*', false],
    [INDEX, false],
    [`${OCI}x`, false],
    [`${OCI};q`, false],
    [`${OCI};q=1;q=1`, false],
    [`${OCI};"`, false],
  ])('to whoever accepts %s: %s', async (accept, served) => {
    await disk.manifest('team/app', 'v1', MANIFEST);
    await get({ accept });
    expect(rig.registry.seen).toEqual(served ? [] : [`GET ${URI}`]);
  });

  test('with a condition is the registry’s, which is told of it', async () => {
    await disk.manifest('team/app', 'v1', MANIFEST);
    await get({ accept: OCI, 'if-none-match': '"x"' });
    expect(rig.registry.headers[0]).toMatchObject({ 'if-none-match': '"x"', accept: OCI });
  });

  test('is refused to whoever may not pull it', async () => {
    await disk.manifest('other', 'v1', MANIFEST);
    const other = '/v2/other/manifests/v1';
    const accept = { accept: OCI };
    expect((await rig.leave('GET', other, 'ada:right', undefined, undefined, accept)).status).toBe(403);
    expect((await get(accept, 'GET', 'ada:wrong')).status).toBe(401);
  });

  test.each([
    ['PUT', { status: 201 }],
    ['DELETE', { status: 202 }],
  ])('a %s through the gate is seen at once', async (method, expected) => {
    const uri = '/v2/team/app/manifests/free';
    await disk.manifest('team/app', 'free', MANIFEST);
    rig.registry.put('team/app', 'free', MANIFEST);
    const pull = () => rig.leave('GET', uri, 'ada:right', undefined, undefined, { accept: OCI });
    expect((await pull()).status).toBe(200);
    await disk.unlink('team/app/_manifests/tags/free/current'); // as the registry would do it
    expect(await rig.leave(method, uri, 'ada:right', method === 'PUT' ? MANIFEST : undefined)).toMatchObject(
      expected,
    );
    await pull();
    expect(rig.registry.seen.at(-1)).toBe(`GET ${uri}`);
  });
});
