import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { Failure } from '../errors.ts';
import { paths } from '../paths.ts';
import { PINNED } from '../settings/schema.ts';
import type { Settings } from '../settings/settings.ts';
import type { Run } from '../system/processes.ts';
import { BASE_IMAGE, BUILT } from './catalog.ts';
import { ensureImages } from './ensure.ts';

const settings: Settings = {
  domain: 'localhost',
  names: ['localhost'],
  email: undefined,
  issuer: 'local',
  directory: { url: 'https://acme.example/dir', public: false },
  acmeTrust: undefined,
  fallbackDirectory: undefined,
  profile: undefined,
  externalAccount: undefined,
  challenge: 'http-01',
  dnsHook: undefined,
  provided: undefined,
  alerts: { webhook: undefined, mail: undefined },
  bindAddress: undefined,
  httpPort: 80,
  httpsPort: 443,
  trustedProxies: [],
  auth: { by: 'gate', ttl: 60 },
  blobsBy: 'nginx',
  images: 'auto',
  imagesFile: '/nowhere/images.tar',
  chosenImages: {},
  builtImages: {},
  diskReserve: { bytes: 0 },
  proxy: { http: undefined, https: undefined, except: [] },
  mirror: undefined,
  monitoring: undefined,
  backup: { target: undefined, password: undefined, keys: undefined },
  storage: { kind: 'filesystem' },
  cache: { kind: 'memory' },
  registryDataDirectory: '/data',
  renewerContainer: true,
  project: 'moorage',
  nginxAddress: undefined,
};

let engine: FakeEngine;

beforeEach(() => {
  engine = new FakeEngine();
});

async function ensure(change: Partial<Settings> = {}) {
  const state = await mkdtemp(join(tmpdir(), 'images-'));
  const workshop = { engine, run: bundle, paths: { ...paths(), state }, ensureDebootstrap: async () => {} };
  return ensureImages({ ...settings, ...change }, workshop, () => undefined);
}

/** What scripts/bundle.mjs leaves: `bundle.mjs PROGRAM FOLDER`. */
const bundle: Run = async (_, [, program = '', folder = '']) => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'main.mjs'), `// ${program}\n`);
  return { exitCode: 0, stdout: '', stderr: '' };
};

const unreachable = new Failure('registry-unreachable', 'no such host', '');

test('images are pulled where an image registry answers, and nothing is pulled twice', async () => {
  const { value, changed } = await ensure();
  const { renewer, gate, ...pulled } = value;
  expect(pulled).toEqual({ registry: PINNED.registry, nginx: PINNED.nginx, node: PINNED.node });
  // Two checkouts on one machine do not take each other's: the tag is what it was built from.
  expect(renewer).toMatch(/^moorage\/renewer:[\d.]+-[0-9a-f]{12}$/);
  expect(gate).toMatch(/^moorage\/gate:[\d.]+-[0-9a-f]{12}$/);
  expect({ changed, pulled: engine.pulled }).toEqual({
    changed: true,
    pulled: [PINNED.registry, PINNED.nginx, PINNED.node],
  });
  expect(await ensure()).toMatchObject({ changed: false, summary: '5 present' });
});

test('certbot is an image of the stack only where it is the issuer', async () => {
  expect((await ensure({ issuer: 'certbot' })).value.certbot).toBe(PINNED.certbot);
});

test('Prometheus and the exporter are images of the stack only where they are wanted', async () => {
  const { value } = await ensure({ monitoring: { port: 9090 } });
  expect(value).toMatchObject({
    prometheus: PINNED.prometheus,
    exporter: expect.stringMatching(/-[0-9a-f]{12}$/),
  });
  expect((await ensure()).value).not.toHaveProperty('exporter');
});

test('with AUTH=registry there is no gate', async () => {
  expect((await ensure({ auth: { by: 'registry', ttl: 60 } })).value).not.toHaveProperty('gate');
});

test('where no image registry answers all are built, and it is asked only once', async () => {
  engine.pullFails = unreachable;
  engine.present(BASE_IMAGE);
  const { value } = await ensure();
  expect(value).toMatchObject({ registry: BUILT.registry, nginx: BUILT.nginx, node: BUILT.node });
  expect(engine.pulled).toEqual([PINNED.registry]);
});

test('what was built here is not looked for elsewhere the next time', async () => {
  engine.pullFails = unreachable;
  engine.present(BASE_IMAGE);
  await ensure();
  engine.pulled.length = 0;
  const again = await ensure({
    builtImages: { registry: BUILT.registry, nginx: BUILT.nginx, node: BUILT.node },
  });
  expect({ changed: again.changed, pulled: engine.pulled }).toEqual({ changed: false, pulled: [] });
});

test('IMAGES=pull does not build behind one’s back', async () => {
  engine.pullFails = unreachable;
  await expect(ensure({ images: 'pull' })).rejects.toMatchObject({ code: 'registry-unreachable' });
});

test('an image that was chosen is pulled whatever IMAGES says', async () => {
  const { value } = await ensure({ chosenImages: { registry: 'registry:3.0.0' } });
  expect(value.registry).toBe('registry:3.0.0');
});

test('a pull that fails for another reason is not papered over by a build', async () => {
  engine.pullFails = new Failure('pull-failed', 'manifest unknown', '');
  await expect(ensure()).rejects.toMatchObject({ code: 'pull-failed' });
});

test('with IMAGES=load nothing is pulled, and programs are made of the Node that is here', async () => {
  for (const name of [BUILT.registry, BUILT.nginx, BUILT.node]) engine.present(name);
  engine.pullFails = unreachable;
  const { value, summary } = await ensure({ images: 'load' });
  expect(value).toMatchObject({ registry: BUILT.registry, nginx: BUILT.nginx, node: BUILT.node });
  expect({ summary, pulled: engine.pulled }).toEqual({ summary: '2 built, 3 present', pulled: [] });
  expect(await ensure({ images: 'load' })).toMatchObject({ changed: false });
});

test('with IMAGES=load what is neither here nor in an archive is told, and nothing is built', async () => {
  engine.present(BASE_IMAGE);
  await expect(ensure({ images: 'load' })).rejects.toMatchObject({ code: 'images-missing' });
  expect(engine.pulled).toEqual([]);
});

test('what was loaded once does not count as built here when images are pulled again', async () => {
  const { value } = await ensure({ builtImages: { registry: 'registry:3.0.0' } });
  expect(value.registry).toBe(PINNED.registry);
});
