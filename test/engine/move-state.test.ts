import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { beforeEach, expect, test } from 'vitest';
import { discardState, sendState, stageState } from '../../src/move/state.ts';
import { type Paths, paths as pathsOf } from '../../src/paths.ts';
import { loadSettings } from '../../src/settings/load.ts';
import { hereAsThere as host } from '../support/here-as-there.ts';

const BLOCK = '# --- Written by init-tls. Change the settings above instead. ---';
const SECRET = 'a-secret-of-more-than-thirty-two-letters';

let here: Paths;
let folder: string;

beforeEach(async () => {
  here = pathsOf(await mkdtemp(join(tmpdir(), 'move-here-')));
  folder = await mkdtemp(join(tmpdir(), 'move-there-'));
  await writeFile(
    here.envFile,
    [
      'DOMAIN=r.example # ours',
      'BIND_ADDRESS=192.0.2.1',
      BLOCK,
      `REGISTRY_HTTP_SECRET=${SECRET}`,
      'STATE_OWNER=1000:1000',
      'BUILT_NGINX_IMAGE=moorage/nginx:1',
      'ENGINE_SOCKET_GROUP=998',
      'RENEWER_REPLICAS=0',
      '',
    ].join('\n'),
  );
  for (const [path, content] of [
    ['registry/auth/registry.password', 'ada:hash\n'],
    ['registry/auth/tokens.json', '{}'],
    ['registry/auth/access.yaml.example', 'an example'],
    ['retention.yaml', 'rules: []'],
    ['var/tls/generation-1/privkey.pem', 'key'],
    ['var/acme/account.json', '{}'],
    ['var/events.jsonl', '{}\n'],
    ['var/gate/audit.jsonl', 'of this machine'],
  ] as const)
    await write(here.root, path, content);
});

async function write(root: string, path: string, content: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), content);
}

const stage = async (set: Record<string, string> = {}, environment: Record<string, string> = {}) =>
  stageState(here, environment, await loadSettings(here, environment), { to: 'root@new', folder, set });

test('what init-tls found out about this machine stays; secret and own settings go along', async () => {
  const staged = await stage({ BIND_ADDRESS: '' }, { HTTPS_PORT: '5443' });
  expect(parse(await readFile(join(staged.stage, '.env'), 'utf8'))).toEqual({
    DOMAIN: 'r.example',
    HTTPS_PORT: '5443',
    REGISTRY_HTTP_SECRET: SECRET,
  });
  expect(staged.settings).toMatchObject({ domain: 'r.example', httpsPort: 5443, bindAddress: undefined });
  expect(staged.data).toBe(join(folder, 'registry/data'));
  expect((await stat(join(staged.stage, '.env'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(here.state, 'move'))).mode & 0o777).toBe(0o700);
  await discardState(here);
  expect(await readdir(join(here.state, 'move'))).toEqual([]);
});

test('a setting that names a folder of this checkout names the same folder of that one', async () => {
  const data = join(here.root, 'images');
  const staged = await stage({}, { REGISTRY_DATA_DIR: data });
  expect(staged.data).toBe(join(folder, 'images'));
  expect((await stage({ REGISTRY_DATA_DIR: '/mnt/images' }, { REGISTRY_DATA_DIR: data })).data).toBe(
    '/mnt/images',
  );
});

test('a setting that can’t be there is refused before anything is sent', async () => {
  await expect(stage({ HTTPS_PORT: '80' })).rejects.toMatchObject({ name: 'WrongInput' });
});

test('the other machine gets the state as it is now, and keeps what is no part of it', async () => {
  await write(folder, 'nginx/user.d/limits.conf.example', 'an example');
  await write(folder, 'docs/move.md', 'of the project');
  await write(folder, 'var/made.json', 'of that machine');
  const far = { host, folder };
  expect(await sendState(far, await stage())).toMatchObject({ changed: true });
  expect(await sendState(far, await stage())).toMatchObject({ changed: false });
  expect((await stat(folder)).mode & 0o777).toBe(0o755); // others go on being let into it
  await rm(join(here.root, 'registry/auth/tokens.json'));
  await rm(join(here.root, 'var/tls/generation-1'), { recursive: true });
  await write(here.root, 'var/tls/generation-2/privkey.pem', 'another key');
  expect(await sendState(far, await stage())).toMatchObject({ changed: true });

  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = files.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  expect(names.map((name) => name.slice(folder.length + 1)).sort()).toEqual([
    '.env',
    'docs/move.md',
    'nginx/user.d/limits.conf.example',
    'registry/auth/registry.password',
    'retention.yaml',
    'var/acme/account.json',
    'var/events.jsonl',
    'var/made.json',
    'var/tls/generation-2/privkey.pem',
  ]);
});

test('a file that a setting names elsewhere goes along, and overwrites none', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'move-elsewhere-'));
  await cp(join(pathsOf().root, 'package.json'), join(elsewhere, 'hook.env'));
  await write(here.root, 'hook.sh', '#!/bin/sh\n');
  const staged = await stage();
  const files = [
    { here: join(here.root, 'hook.sh'), there: join(folder, 'certs/hook.sh') },
    { here: join(here.root, 'hook.sh'), there: join(elsewhere, 'hook.env') },
  ];
  await sendState({ host, folder }, { ...staged, elsewhere: files });
  expect(await readFile(join(folder, 'certs/hook.sh'), 'utf8')).toBe('#!/bin/sh\n');
  expect(await readFile(join(elsewhere, 'hook.env'), 'utf8')).toMatch(/"name": "moorage"/);
});
