import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servedFingerprint } from '../../src/certificates/handshake.ts';
import { paths } from '../../src/paths.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { mountSmallDisk } from '../support/mounts.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { pushRelease, type Released } from '../support/released.ts';

let source: Checkout;
/** The machine that is restored to. */
let fresh: Checkout;
/** One on which nothing ever succeeds. */
let empty: Checkout;
let target: string;
let folder: string;
let released: Released;
let fingerprint: string;
let login: string;
let reader: string;
let token: string;
let password: { BACKUP_PASSWORD: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage-restore-'));
  target = join(folder, 'target');
  source = await Checkout.make();
  const made = await source.init();
  fingerprint = made.certificate.fingerprint;
  login = loginOf(made);
  released = await pushRelease(
    new RegistryCalls(source),
    { repository: 'team/app', tag: '1.0', as: login },
    50_000,
  );
  await source.command('user', ['add', 'ada', '--password-stdin'], { input: 'a long password' });
  await source.command('user', ['allow', 'ada', 'pull:team/**']);
  reader = 'ada:a long password';
  const { stdout } = await source.command('user', ['token', 'ada', '--allow', 'pull:team/app']);
  token = `ada:${/password (\S+)/.exec(stdout)?.[1]}`;
  const { exitCode, stderr } = await source.command('backup', [target]);
  if (exitCode !== 0) throw new Error(stderr);
  const env = await readFile(join(source.root, '.env'), 'utf8');
  password = { BACKUP_PASSWORD: /^BACKUP_PASSWORD=(\S+)$/m.exec(env)?.[1] ?? '' };
  await source.compose('stop', '--timeout', '1');
  fresh = await Checkout.make();
  empty = await Checkout.make();
});

afterAll(async () => {
  await Promise.all([source, fresh].map((each) => each?.dispose()));
  for (const checkout of [empty]) await rm(join(checkout.root, '..'), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

const restore = (checkout: Checkout, args: readonly string[] = [], env: Record<string, string> = password) =>
  checkout.command('restore', [target, '--yes', ...args], { env });

/** What a machine has that nobody restored to. */
async function isUntouched({ root }: Checkout): Promise<boolean> {
  const names = [...(await readdir(root)), ...(await readdir(join(root, 'registry/auth')))];
  return !names.some((name) => ['.env', 'registry.password', 'tokens.json'].includes(name));
}

test.each([
  ['another password', { BACKUP_PASSWORD: 'another one' }, [], 1, /not made with this BACKUP_PASSWORD/],
  ['no password', {}, [], 2, /BACKUP_PASSWORD: is not set/],
  ['no such backup', undefined, ['--snapshot', 'ffffffff'], 2, /is none of/],
])('%s: nothing of the machine has changed', async (_, env, args, code, reason) => {
  const { exitCode, stderr, stdout } = await restore(empty, args, env);
  expect({ exitCode, stderr: stderr + stdout }).toMatchObject({
    exitCode: code,
    stderr: expect.stringMatching(reason),
  });
  expect(await isUntouched(empty)).toBe(true);
});

test('a disk that is too small: nothing is fetched', async () => {
  const small = join(folder, 'small');
  await mkdir(small);
  const disk = await mountSmallDisk(small, 1_000);
  try {
    const { exitCode, stderr } = await restore(empty, ['--data-dir', small]);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/are free at .*small/),
    });
    expect(await readdir(small)).toEqual([]);
  } finally {
    await disk.unmount();
  }
});

test.each(['fetch:0', 'aside:0', 'place:0', 'place:2', 'start:0'])(
  'killed in the step and as many renames later: %s',
  async (at) => {
    const preload = `--import=${pathToFileURL(join(paths().root, 'test/support/kill-at.mjs'))}`; // NODE_OPTIONS is split at spaces
    const { exitCode, stdout, stderr } = await restore(fresh, [], {
      ...password,
      NODE_OPTIONS: preload,
      KILL_AT: at,
    });
    expect(exitCode, stdout + stderr).not.toBe(0);
    const journal = await readFile(join(fresh.root, 'var/journal/restore.json'), 'utf8');
    expect(JSON.parse(journal).step).toBe(at.split(':')[0]);
  },
);

test('… the next run ends it with a verified registry', async () => {
  const { exitCode, stdout, stderr } = await restore(fresh);
  expect({ exitCode, stderr, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/The restore begun at .* goes on[\s\S]*Proof +pushed and pulled/),
  });
  expect(await readdir(join(fresh.root, 'var/journal'))).toEqual([]);
  expect(await readdir(join(fresh.root, 'registry/data'))).not.toContain('.moorage-restore');
  expect(await readdir(join(fresh.root, 'var/backup'))).not.toContain('restore');
});

test('it serves the same manifests, by tag and by digest, with their layers', async () => {
  expect(Object.keys(released)).toHaveLength(6);
  const calls = new RegistryCalls(fresh);
  for (const [reference, digest] of Object.entries(released)) {
    const { status, headers, text } = await calls.manifest('team/app', reference, login);
    expect([status, headers['docker-content-digest']], text).toEqual([200, digest]);
  }
  const layout = `docker://${fresh.authority}/team/app:1.0`;
  const copy = [
    'copy',
    '--all',
    '--src-tls-verify=false',
    '--src-creds',
    login,
    layout,
    `dir:${join(folder, 'pulled')}`,
  ];
  await execa('skopeo', copy); // computes every digest
});

test('the same users, roles and tokens, and the same certificate', async () => {
  const calls = new RegistryCalls(fresh);
  const status = async (method: string, path: string, as: string) =>
    (await calls.ask(method, path, { as })).status;
  expect(await status('GET', '/v2/team/app/tags/list', reader)).toBe(200);
  expect(await status('GET', '/v2/team/app/tags/list', token)).toBe(200);
  expect(await status('POST', '/v2/team/app/blobs/uploads/', reader)).toBe(403);
  expect(await status('GET', '/v2/', 'ada:another password')).toBe(401);
  const shown = await servedFingerprint({
    host: '127.0.0.1',
    port: Number(fresh.env.HTTPS_PORT),
    servername: 'localhost',
    timeout: 5_000,
  });
  expect(shown).toEqual({ kind: 'shown', fingerprint });
  const lines = async ({ root }: Checkout) =>
    (await readFile(join(root, 'var/ledger.jsonl'), 'utf8')).split('\n').length;
  expect(await lines(fresh)).toBe(await lines(source));
});

test('where there is a registry: exit 1, and it runs on', async () => {
  const { exitCode, stderr } = await restore(fresh);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/images in .*, users, certificates[\s\S]*--force/),
  });
  expect((await new RegistryCalls(fresh).ask('GET', '/v2/', { as: login })).status).toBe(200);
});

test('--force keeps what was there, and --data-dir puts the images elsewhere', async () => {
  const calls = new RegistryCalls(fresh);
  await calls.pushImage('team/later', 'one', login);
  const data = join(folder, 'data');
  const { exitCode, stdout, stderr } = await restore(fresh, ['--force', '--data-dir', data, '--json']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { stamp } = JSON.parse(stdout);
  expect((await calls.manifest('team/later', 'one', login)).status).toBe(404);
  expect((await calls.manifest('team/app', '1.0', login)).status).toBe(200);
  expect(await readdir(data)).toContain('docker');
  expect(await readdir(join(fresh.root, `var/before-restore-${stamp}`))).toEqual(
    expect.arrayContaining(['.env', 'registry', 'var']),
  );
  const { stdout: backups } = await fresh.command('backup', [target, '--list', '--json']);
  expect(JSON.parse(backups).snapshots).toHaveLength(1);
});
