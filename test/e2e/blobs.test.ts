import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MANIFEST_TYPE, makeImage } from '../../src/registry/image.ts';
import { DockerUser, EngineImages } from '../support/docker-user.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { writeLayout } from '../support/oci-layout.ts';
import type { Called, RegistryCalls } from '../support/registry-calls.ts';
import { slashed } from '../support/registry-disk.ts';

const ACCESS = `
users:
  admin: [admin]
  reader: [pull:b/**]
`;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const UNKNOWN = `sha256:${'0'.repeat(64)}`;
const LAYER = `${randomBytes(40_000).toString('hex')}\n`;
const SOON = { timeout: 60_000, interval: 100 };

let stack: GuardedStack;
let calls: RegistryCalls;
let layer: string;
let empty: string;
const admin = () => ({ as: stack.login('admin') });

beforeAll(async () => {
  stack = await GuardedStack.open(ACCESS, ['reader']);
  ({ calls } = stack);
  layer = await calls.pushBlob('a/table', LAYER, stack.login('admin'));
  empty = await calls.pushBlob('a/table', '', stack.login('admin'));
});

afterAll(() => stack?.checkout.dispose());

const get = (path: string, headers: Record<string, string> = {}, as = 'admin', method = 'GET') =>
  calls.ask(method, path, { as: stack.login(as), headers });
const blob = (repository: string, digest: string, as = 'admin') =>
  get(`/v2/${repository}/blobs/${digest}`, {}, as);
const manifest = (repository: string, reference: string, accept = MANIFEST_TYPE) =>
  get(`/v2/${repository}/manifests/${reference}`, { accept });
const put = async (repository: string, reference: string, mediaType: string, more: object) => {
  const body = JSON.stringify({ schemaVersion: 2, mediaType, ...more });
  const headers = { 'content-type': mediaType };
  const answer = await calls.ask('PUT', `/v2/${repository}/manifests/${reference}`, {
    ...admin(),
    body,
    headers,
  });
  expect(answer.status).toBe(201);
  return String(answer.headers['docker-content-digest']);
};
/** On the registry's disk, where files are root's. */
const inRegistry = async (...command: string[]) => {
  const ran = await stack.checkout.compose('exec', '-T', 'registry', ...command);
  expect(ran).toMatchObject({ exitCode: 0 });
};
const V2 = '/var/lib/registry/docker/registry/v2';

describe('what a repository has not', () => {
  test('is not served to who may pull another one that has it', async () => {
    const secret = await calls.pushBlob('a/secret', 'the secret of a', stack.login('admin'));
    await calls.pushBlob('b/own', 'of b', stack.login('admin'));
    expect(await blob('a/secret', secret)).toMatchObject({ status: 200, text: 'the secret of a' });
    expect(await blob('a/secret', secret, 'reader')).toMatchObject({ status: 403, codes: ['DENIED'] });
    expect(await blob('b/own', secret, 'reader')).toMatchObject({ status: 404, codes: ['BLOB_UNKNOWN'] });
    const pushed = await calls.pushImage('a/secret', 'v1', stack.login('admin'));
    for (const reference of ['v1', pushed.digest])
      expect((await manifest('b/own', reference)).status).toBe(404);
    expect((await blob('b/own', pushed.digest)).status).toBe(404);
    expect((await blob('a/secret', pushed.digest)).status).toBe(404); // a manifest is no blob
  });

  test('is not served once it was deleted, by the API at once', async () => {
    const digest = await calls.pushBlob('b/gone', 'soon gone', stack.login('admin'));
    for (let times = 0; times < 20; times += 1) {
      expect((await blob('b/gone', digest, 'reader')).status).toBe(200);
      expect((await calls.ask('DELETE', `/v2/b/gone/blobs/${digest}`, admin())).status).toBe(202);
      expect((await blob('b/gone', digest, 'reader')).status).toBe(404);
      await calls.pushBlob('b/gone', 'soon gone', stack.login('admin'));
    }
  });
});

describe('manifests are never stale', () => {
  test('after a push, a deletion, and a tag that comes back, while others pull all the time', async () => {
    let going = true;
    const pulling = [0, 1, 2].map(async () => {
      while (going) await manifest('a/loop', 'latest');
    });
    const first = await calls.pushImage('a/loop', 'latest', stack.login('admin'), 'first');
    for (let times = 0; times < 60; times += 1) {
      const { digest } = await calls.pushImage('a/loop', 'latest', stack.login('admin'), String(times));
      const seen = await Promise.all([manifest('a/loop', 'latest'), manifest('a/loop', digest)]);
      for (const { headers } of seen) expect(headers['docker-content-digest']).toBe(digest);
      const deleted = await calls.ask('DELETE', `/v2/a/loop/manifests/${digest}`, admin());
      expect(deleted.status).toBe(202);
      for (const reference of ['latest', digest])
        expect((await manifest('a/loop', reference)).status).toBe(404);
      await calls.pushImage('a/loop', 'latest', stack.login('admin'), 'first');
      expect((await manifest('a/loop', 'latest')).headers['docker-content-digest']).toBe(first.digest);
    }
    going = false;
    await Promise.all(pulling);
  });

  test('what is taken from the disk behind the registry’s back is seen soon', async () => {
    await calls.pushImage('a/rm', 'v1', stack.login('admin'));
    expect((await manifest('a/rm', 'v1')).status).toBe(200);
    await inRegistry('rm', '-r', `${V2}/repositories/a/rm/_manifests/tags/v1`);
    await vi.waitFor(async () => expect((await manifest('a/rm', 'v1')).status).toBe(404), SOON);
  });
});

test('what gate and nginx tell each other reaches nobody', async () => {
  const answers = [
    await blob('a/table', layer),
    await blob('a/table', UNKNOWN),
    await manifest('a/table', 'x'),
  ];
  for (const { headers } of [...answers, await get('/v2/'), await blob('a/table', layer, 'reader')])
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^x-(user|blob|digest)/)]),
    );
});

test('browsers are told to come back by HTTPS with a blob too, whoever sends it', async () => {
  const told = async (method: string) => {
    const answers = [get(`/v2/a/table/blobs/${layer}`, {}, 'admin', method), manifest('a/table', 'x')];
    return (await Promise.all(answers)).map(({ headers }) => headers['strict-transport-security']);
  };
  const restarted = async (HSTS: string, wanted: string | undefined) => {
    const up = ['compose', 'up', '--detach', '--no-deps', 'nginx'];
    expect(await stack.checkout.run('docker', up, { env: { HSTS } })).toMatchObject({ exitCode: 0 });
    await expect.poll(() => told('GET').catch(() => 'not up'), SOON).toEqual([wanted, wanted]);
  };
  expect(await told('GET')).toEqual([undefined, undefined]);
  await restarted('on', 'max-age=31536000');
  expect(await told('HEAD')).toEqual(['max-age=31536000', 'max-age=31536000']);
  await restarted('', undefined);
});

describe('clients', () => {
  test('skopeo copies an index with its images, both ways', async () => {
    const layout = join(stack.checkout.root, 'var/layout');
    await mkdir(layout);
    await writeLayout(layout, [
      { architecture: 'amd64', image: await makeImage('one') },
      { architecture: 'arm64', image: await makeImage('other') },
    ]);
    const there = `docker://${stack.authority}/a/index:1`;
    const copy = (...args: string[]) => stack.checkout.run('skopeo', ['copy', '--quiet', '--all', ...args]);
    const login = ['--dest-cert-dir', 'var/ca', '--dest-creds', stack.login('admin')];
    const back = ['--src-cert-dir', 'var/ca', '--src-creds', stack.login('admin')];
    expect(await copy(...login, `oci:${layout}`, there)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await copy(...back, there, `oci:${layout}-2:1`)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('Docker pushes and pulls', async () => {
    const images = new EngineImages(stack);
    const user = await DockerUser.loggedIn(stack, 'admin');
    await images.make(randomBytes(8).toString('hex'), 'a/docker:1');
    expect(await user.push('a/docker:1')).toMatchObject({ exitCode: 0 });
    await images.forget('a/docker:1');
    expect((await user.pull('a/docker:1')).stdout).toContain('Downloaded newer image');
    await images.dispose();
    await user.dispose();
  });
});

describe('where nginx can’t send a file, the registry answers', () => {
  test('one that is gone since it was linked', async () => {
    const gone = { status: 404, codes: ['BLOB_UNKNOWN'] };
    const digest = await calls.pushBlob('a/lost', 'lost bytes', stack.login('admin'));
    expect((await blob('a/lost', digest)).status).toBe(200);
    await inRegistry('rm', `${V2}/blobs/${slashed(digest).replace(/\/(..)/, '/$1/$1')}/data`);
    await stack.checkout.compose('restart', 'registry'); // it would trust its memory, and break its answer off
    await vi.waitFor(async () => expect(await blob('a/lost', digest)).toMatchObject(gone), SOON);
  });

  test('a folder that is closed to nginx’s workers', async () => {
    const folder = join(stack.checkout.root, 'registry/data');
    await chmod(folder, 0o700);
    expect(await blob('a/table', layer)).toMatchObject({ status: 200, text: LAYER });
    expect((await get(`/v2/a/table/blobs/${layer}`, { range: 'bytes=0-4' })).text).toBe(LAYER.slice(0, 5));
    await chmod(folder, 0o755);
  });

  test('a file that is closed to nginx’s workers', async () => {
    const digest = await calls.pushBlob('a/closed', 'closed bytes', stack.login('admin'));
    await inRegistry('chmod', '600', `${V2}/blobs/${slashed(digest).replace(/\/(..)/, '/$1/$1')}/data`);
    expect(await blob('a/closed', digest)).toMatchObject({ status: 200, text: 'closed bytes' });
  });
});

describe('as the registry itself', () => {
  type Asked = readonly [method: string, path: string, headers?: Readonly<Record<string, string>>];
  let image: string;
  let index: string;
  let byNginx: Map<string, unknown>;

  beforeAll(async () => {
    image = (await calls.pushImage('a/table', 'v1', stack.login('admin'))).digest;
    const { headers } = await manifest('a/table', image);
    const child = { digest: image, mediaType: MANIFEST_TYPE, size: Number(headers['content-length']) };
    const platform = { os: 'linux', architecture: 'amd64' };
    index = await put('a/table', 'index', INDEX, { manifests: [{ ...child, platform }] });
    const config = {
      digest: layer,
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: 80_001,
    };
    const docker = await put('a/table', 'docker', DOCKER, { config, layers: [] });
    const size = Number((await manifest('a/table', docker, DOCKER)).headers['content-length']);
    const listed = { digest: docker, mediaType: DOCKER, size, platform };
    await put('a/table', 'list', LIST, { manifests: [listed] });
    byNginx = await askAll();
  });

  /** Of what is asked, in the form in which answers are compared. */
  const askAll = async () => {
    const answers = new Map<string, unknown>();
    for (const [method, path, headers = {}] of table()) {
      // Some answers distribution breaks off: so it does either way.
      const answer = await calls
        .ask(method, `/v2/a/table/${path}`, { ...admin(), headers })
        .then(comparable, String);
      answers.set(`${method} ${path} ${JSON.stringify(headers)}`, answer);
    }
    return answers;
  };

  const table = (): Asked[] => {
    const ranges = ['0-0', '5-', '-5', '0-9999999', '-9999999', '100000-', '5-4', '-0', '0-1,5-6', 'x'];
    const quoted = `"${layer}"`;
    const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
    const conditions = [
      ...[quoted, '"other"', '*'].flatMap((tag) => [{ 'if-none-match': tag }, { 'if-match': tag }]),
      { 'if-modified-since': date },
      { 'if-unmodified-since': date },
      { 'if-range': quoted, range: 'bytes=0-4' },
      { 'if-range': '"other"', range: 'bytes=0-4' },
    ];
    const accepts = [MANIFEST_TYPE, INDEX, LIST, DOCKER, `${INDEX}, ${MANIFEST_TYPE};q=0.5`, '*/*', ''];
    const references = ['v1', 'index', 'list', 'docker', image, index, 'none', UNKNOWN];
    return ['GET', 'HEAD'].flatMap((method): Asked[] => [
      ...[layer, empty, UNKNOWN, image].flatMap((digest): Asked[] => [
        [method, `blobs/${digest}`],
        [method, `blobs/${digest}`, { accept: 'text/plain', 'accept-encoding': 'gzip' }],
        ...ranges.map((range): Asked => [method, `blobs/${digest}`, { range: `bytes=${range}` }]),
      ]),
      [method, `blobs/${layer}?a=b`],
      [method, `blobs/${layer.replace(':', '%3A')}`],
      ...conditions.map((headers): Asked => [method, `blobs/${layer}`, headers]),
      ...references.flatMap((reference) =>
        accepts.map((accept): Asked => [method, `manifests/${reference}`, { accept }]),
      ),
      [method, 'manifests/v1', { accept: MANIFEST_TYPE, range: 'bytes=0-4' }],
      [method, 'manifests/v1', { accept: MANIFEST_TYPE, 'if-none-match': `"${image}"` }],
      [method, 'manifests/v1', { accept: MANIFEST_TYPE, 'if-none-match': '"other"' }],
    ]);
  };

  test('without the registry, nginx goes on to send blobs, and the gate manifests', async () => {
    await stack.checkout.compose('kill', 'registry');
    expect(await blob('a/table', layer)).toMatchObject({ status: 200, text: LAYER });
    expect((await manifest('a/table', 'v1')).headers['docker-content-digest']).toBe(image);
    expect(await blob('a/table', UNKNOWN)).toMatchObject({ status: 503, codes: ['UNAVAILABLE'] });
    await stack.checkout.compose('start', 'registry');
    await vi.waitFor(async () => expect((await blob('a/table', UNKNOWN)).status).toBe(404), SOON);
  });

  test('with SERVE_BLOBS=registry the same is answered, by the registry alone', async () => {
    await stack.checkout.init({ SERVE_BLOBS: 'registry' });
    expect(Object.fromEntries(byNginx)).toEqual(Object.fromEntries(await askAll()));
    expect(byNginx.size).toBeGreaterThan(200);
    await stack.checkout.compose('kill', 'registry');
    for (const { status } of await Promise.all([blob('a/table', layer), manifest('a/table', 'v1')]))
      expect(status).toBe(503);
  });
});

/** An answer without what differs each time: when it was given, and where the parts of several ranges end. */
function comparable({ status, headers, text }: Called) {
  const { date, connection, 'keep-alive': keepAlive, ...rest } = headers;
  const boundary = /boundary=(\w+)/.exec(String(rest['content-type']))?.[1];
  const plain = (value: string) => (boundary === undefined ? value : value.replaceAll(boundary, 'BOUNDARY'));
  return {
    status,
    headers: { ...rest, 'content-type': plain(String(rest['content-type'])) },
    text: plain(text),
  };
}
