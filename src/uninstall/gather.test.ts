import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { container, held } from '../../test/support/found.ts';
import type { Held, Holdings } from '../engine/holdings.ts';
import { Failure } from '../errors.ts';
import { CHECKOUT_LABEL } from '../images/catalog.ts';
import { LocalIssuer } from '../issuers/local.ts';
import { Journal } from '../journal.ts';
import { paths } from '../paths.ts';
import { NEW_MARK, OLD_MARK } from '../storage/old-places.ts';
import { systemClock } from '../system/clock.ts';
import { run } from '../system/processes.ts';
import { gatherFound } from './gather.ts';

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'checkout-')));
});

async function put(path: string, text = 'x'): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

function gathered({ look, installed = true }: { look?: () => Promise<Held>; installed?: boolean } = {}) {
  const refuse = async () => true;
  const holdings: Holdings = {
    look: look ?? (async () => held()),
    removeContainer: async () => {},
    removeNetwork: refuse,
    removeVolume: refuse,
    removeImage: refuse,
  };
  return gatherFound({
    paths: paths(root),
    clock: systemClock,
    run,
    environment: {},
    holdings,
    engineInstalled: async () => installed,
    units: join(root, 'no units'),
    movedTo: undefined,
  });
}

const pathsOf = (files: readonly { path: string }[]) => files.map(({ path }) => path.slice(root.length + 1));

test('settings that no command would take still say where things are', async () => {
  await put(
    '.env',
    'DOMAIN=Registry.Example.com\nHTTP_PORT=banana\nCOMPOSE_PROJECT_NAME=images\nREGISTRY_DATA_DIR=./disk\n',
  );
  await put('disk/docker/registry/v2/blobs/one');
  const there = await gathered();
  expect(there).toMatchObject({ domain: 'registry.example.com', project: 'images' });
  expect(there.data[0]).toMatchObject({ root: join(root, 'disk') });
});

test('without .env the certificate says the name, and what init-tls noted where the images are', async () => {
  const clock = systemClock;
  const order = { names: ['registry.internal'], replaces: undefined };
  const { chain } = await new LocalIssuer(join(root, 'var/ca'), clock).issue(order, () => undefined);
  await put('var/tls/generation-1/fullchain.pem', chain);
  await symlink('generation-1', join(root, 'var/tls/current'));
  await put('var/storage.json', JSON.stringify({ place: join(root, 'disk'), used: true }));
  await put('disk/docker/registry/v2/blobs/one');
  const there = await gathered();
  expect(there).toMatchObject({ domain: 'registry.internal', project: undefined, settings: [] });
  expect(there.data.flatMap(({ trees }) => pathsOf(trees))).toEqual(['disk/docker/registry/v2']);
});

test('images that have yet to follow a changed REGISTRY_DATA_DIR are still found where they are', async () => {
  await put('.env', `REGISTRY_DATA_DIR=${root}/new\n`);
  await put('var/storage.json', JSON.stringify({ place: join(root, 'disk'), used: true }));
  await put('disk/docker/registry/v2/blobs/one');
  expect((await gathered()).data.flatMap(({ trees }) => pathsOf(trees))).toEqual(['disk/docker/registry/v2']);
});

test('of a folder for images only what distribution and a restore wrote is found', async () => {
  for (const path of ['docker/registry/v2/blobs/a', 'docker/mine', 'mine', 'scheduler-state.json'])
    await put(`registry/data/${path}`);
  await put('registry/data/before-restore-2026/docker/registry/v2/blobs/b');
  await put('registry/data/.moorage-restore/images/c');
  const [images] = (await gathered()).data;
  expect(pathsOf(images?.trees ?? []).sort()).toEqual([
    'registry/data/.moorage-restore',
    'registry/data/before-restore-2026/docker/registry/v2',
    'registry/data/docker/registry/v2',
    'registry/data/scheduler-state.json',
  ]);
  expect(images?.trees.every(({ bytes }) => bytes > 0)).toBe(true);
});

test('a link within a folder for images is said, and not gone over', async () => {
  await put('elsewhere/registry/v2/blobs/a');
  await mkdir(join(root, 'registry/data'), { recursive: true });
  await symlink(join(root, 'elsewhere'), join(root, 'registry/data/docker'));
  expect((await gathered()).data[0]).toMatchObject({
    trees: [],
    links: [join(root, 'registry/data/docker')],
  });
});

test('copies of .env that a killed run left are found: they hold secrets', async () => {
  for (const name of ['.env', '..env.0123456789ab', '.env.dist', '.envrc']) await put(name);
  expect(pathsOf((await gathered()).settings)).toEqual(['..env.0123456789ab', '.env']);
});

test('what the repository has in registry/auth, and locks that are held, are not found', async () => {
  for (const name of ['.gitkeep', 'access.yaml.example', 'registry.password'])
    await put(`registry/auth/${name}`);
  await put('var/locks/init-tls');
  await put('var/tls/x');
  const { users, state } = await gathered();
  expect([...pathsOf(users), ...pathsOf(state)]).toEqual(['registry/auth/registry.password', 'var/tls']);
});

test('a folder that Compose knows by a link is the same folder', async () => {
  await symlink(root, `${root}-link`);
  const look = async () => held({ containers: [container('nginx', `${root}-link`)] });
  const { engine } = await gathered({ look });
  expect(engine).toMatchObject({
    held: { containers: [{ labels: { 'com.docker.compose.project.working_dir': root } }] },
  });
});

test('a folder that a container knows by a link is the same folder', async () => {
  await put('disk/docker/registry/v2/blobs/a');
  await symlink(join(root, 'disk'), join(root, 'link'));
  const look = async () =>
    held({ containers: [container('other', '/srv/other', { sources: [join(root, 'link')] })] });
  const { engine } = await gathered({ look });
  expect(engine).toMatchObject({ held: { containers: [{ sources: [join(root, 'disk')] }] } });
});

test('backups within the checkout are the person’s own, by whatever path they are named', async () => {
  await put('var/backups/config');
  await symlink(root, `${root}-by-another-name`);
  await put('.env', `BACKUP_TARGET=local:${root}-by-another-name/var/backups\n`);
  expect((await gathered()).own).toContain(join(root, 'var/backups'));
});

test('an old place is one as long as it says so: another disk may be mounted there', async () => {
  for (const name of ['said', 'silent']) await put(`${name}/docker/registry/v2/blobs/a`);
  await put(`said/${OLD_MARK}`);
  const places = ['said', 'silent'].map((name) => ({
    folder: join(root, name),
    to: '/',
    moved: 0,
    bytes: 1,
  }));
  await put('var/old-storage.json', JSON.stringify(places));
  const roots = (await gathered()).data.map((each) => each.root);
  expect(roots).toContain(join(root, 'said'));
  expect(roots).not.toContain(join(root, 'silent'));
});

test('images on their way to another folder are in both', async () => {
  const [from, to] = [join(root, 'from'), join(root, 'to')];
  const journal = new Journal(join(root, 'var/journal/storage.json'), systemClock);
  await journal.begin({ from, to, compared: '0' });
  await put(`to/${NEW_MARK}`, JSON.stringify({ checkout: '/srv/other', from }));
  const roots = async () => (await gathered()).data.map((each) => each.root);
  expect(await roots()).not.toContain(to);
  await put(`to/${NEW_MARK}`, JSON.stringify({ checkout: root, from }));
  expect(await roots()).toEqual(expect.arrayContaining([from, to]));
});

test('where another checkout has its images is known though nothing of it runs', async () => {
  const other = await realpath(await mkdtemp(join(tmpdir(), 'other-')));
  await writeFile(join(other, '.env'), `REGISTRY_DATA_DIR=${root}/shared\n`);
  const image = { id: 'gate', references: ['moorage/gate:1'], labels: { [CHECKOUT_LABEL]: other }, bytes: 1 };
  const { otherData } = await gathered({ look: async () => held({ images: [image] }) });
  expect(otherData).toContainEqual({ folder: join(root, 'shared'), checkout: other });
});

test.each([
  ['engine-unreachable', true, 'away'],
  ['engine-unreachable', false, 'none'],
  ['engine-permission', false, 'away'],
])('%s, installed: %s', async (code, installed, kind) => {
  const look = async () => {
    throw new Failure(code, 'nobody', 'start it');
  };
  expect((await gathered({ look, installed })).engine.kind).toBe(kind);
});
