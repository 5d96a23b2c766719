import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { incomplete } from '../../src/backup/completeness.ts';
import { FolderTree } from '../../src/inventory/folder-tree.ts';
import { readInventory } from '../../src/inventory/inventory.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { mountSmallDisk } from '../support/mounts.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { pushRelease } from '../support/released.ts';
import { startS3 } from '../support/s3.ts';
import { makeShim } from '../support/shims.ts';
import { SshServer } from '../support/ssh-server.ts';

const MEGABYTE = 1_000_000;

let checkout: Checkout;
let calls: RegistryCalls;
let login: string;
let folder: string;
/** The target of most tests. */
let target: string;
let password: string;
let restic: Record<string, string>;
/** So slow that something can happen meanwhile: 1 MB/s. */
let slow: { PATH: string };

beforeAll(async () => {
  checkout = await Checkout.make();
  login = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  // Nearly all of what is backed up is layers: what is damaged anywhere is one of them.
  await pushRelease(calls, { repository: 'team/app', tag: '1.0', as: login }, 500_000);
  folder = await mkdtemp(join(tmpdir(), 'moorage-backup-'));
  target = join(folder, 'target');
  slow = await makeShim(join(folder, 'slow'), 'restic', '--limit-upload 1000');
});

afterAll(async () => {
  await checkout?.dispose();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const backup = (place: string, args: readonly string[] = [], env: Record<string, string> = {}) =>
  checkout.command('backup', [place, '--json', ...args], { env });

async function backedUp(place: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const ran = await backup(place, args, env);
  expect(ran, ran.stderr + ran.stdout).toMatchObject({ exitCode: 0 });
  return JSON.parse(ran.stdout);
}

/** What lasts a while to send. */
const pushMuch = () => pushRelease(calls, { repository: 'team/much', tag: 'now', as: login }, 2 * MEGABYTE);

/** What the command has begun to write there. */
async function filesIn(place: string): Promise<number> {
  return (await readdir(place, { recursive: true }).catch(() => [])).length;
}

test('the first backup makes a password and says that it has to be kept; it is in no argument and no output', async () => {
  const { exitCode, stdout } = await checkout.command('backup', [target]);
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/KEEP A COPY OF BACKUP_PASSWORD/),
  });
  password = /^BACKUP_PASSWORD=(\S+)$/m.exec(await readFile(join(checkout.root, '.env'), 'utf8'))?.[1] ?? '';
  expect(password.length).toBeGreaterThan(20);
  expect(stdout).not.toContain(password);
  restic = { RESTIC_REPOSITORY: target, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: join(folder, 'cache') };
});

test('it is encrypted: neither names nor a hash nor a key can be read in it', async () => {
  const { exitCode } = await execa('grep', ['-rqE', 'team/app|admin:\\$2|PRIVATE KEY', target], {
    reject: false,
  });
  expect(exitCode).toBe(1);
});

test('the second backup adds what is new alone', async () => {
  await calls.pushImage('team/app', 'small', login);
  const { addedBytes, bytes, tags } = await backedUp(target);
  expect(tags).toBe(4);
  expect(bytes).toBeGreaterThan(200_000);
  expect(addedBytes).toBeLessThan(60_000);
});

test('--verify computes the digests of images out of the backup, those that refer to others too', async () => {
  const { images, files } = await backedUp(target, ['--verify', '--sample', '1']);
  expect(images).toBe(1);
  expect(files).toBeGreaterThan(1);
  expect(await backedUp(target, ['--verify', '--sample', 'all'])).toMatchObject({ images: 7, files: 16 });
});

test('damage in the backup is found, and the image it hurts is named', async () => {
  const copy = join(folder, 'damaged');
  await cp(target, copy, { recursive: true });
  const data = join(copy, 'data');
  const packs = (await readdir(data, { recursive: true })).filter((name) => /\/[0-9a-f]{64}$/.test(name));
  const sizes = await Promise.all(
    packs.map(async (name) => ({ name, size: (await stat(join(data, name))).size })),
  );
  const largest = sizes.sort((a, b) => b.size - a.size)[0];
  const file = await open(join(data, largest?.name ?? ''), 'r+');
  await file.write(Buffer.alloc(2_000, 1), 0, 2_000, Math.floor((largest?.size ?? 0) / 3));
  await file.close();
  const { exitCode, stderr } = await backup(copy, ['--verify', '--sample', 'all']);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/not what they were:\n {2}\S+[:@]\S+: sha256:/),
  });
});

test('--list shows the backups; --keep-last drops the others', async () => {
  expect((await backedUp(target, ['--list'])).snapshots).toHaveLength(2);
  expect(await backedUp(target, ['--keep-last', '1'])).toMatchObject({ dropped: 2 });
  expect((await backedUp(target, ['--list'])).snapshots).toHaveLength(1);
});

test('while pushes go on, every tag that a backup has is whole, restored by hand as documented', async () => {
  let pushing = true;
  const pusher = (async () => {
    for (let number = 0; pushing; number += 1)
      await pushRelease(calls, { repository: `busy/app-${number % 3}`, tag: `${number}`, as: login });
  })();
  try {
    await expect
      .poll(() => calls.ask('GET', '/v2/busy/app-2/tags/list', { as: login }), { timeout: 60_000 })
      .toMatchObject({ status: 200 });
    await backedUp(target, [], slow);
  } finally {
    pushing = false;
    await pusher;
  }
  const by = join(folder, 'by-hand');
  await execa('restic', ['restore', 'latest', '--target', by], { env: restic });
  await execa('tar', ['-xf', `${by}/images/repositories.tar`, '-C', `${by}/images/docker/registry/v2`]);
  const tree = new FolderTree(join(by, 'images'));
  const inventory = await readInventory(tree);
  const tags = inventory.repositories.flatMap(({ tags, manifests }) =>
    tags.map(({ digest }) => manifests.has(digest)),
  );
  expect(tags.length).toBeGreaterThan(8);
  expect(tags).not.toContain(false);
  expect(await incomplete(tree, inventory)).toEqual([]);
  const written = await stat(
    join(by, 'images/docker/registry/v2/repositories/team/app/_manifests/tags/1.0/current/link'),
  );
  const before = await stat(
    join(
      checkout.root,
      'registry/data/docker/registry/v2/repositories/team/app/_manifests/tags/1.0/current/link',
    ),
  );
  expect(Math.floor(written.mtimeMs / 1000)).toBe(Math.floor(before.mtimeMs / 1000));
});

test('another password: exit 1, and it says which one is wanted', async () => {
  const { exitCode, stderr } = await backup(target, [], { BACKUP_PASSWORD: 'another one' });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/BACKUP_PASSWORD that was/),
  });
});

test.each([
  ['no target', [], {}, /name one/],
  ['no such form', ['somewhere'], {}, /none of \/folder/],
  ['a flag with nonsense', ['/x', '--keep-daily', 'often'], {}, /keep-daily/],
  ['among the images', ['PLACE/registry/data/docker/b'], {}, /registry’s own files/],
  [
    'images in a bucket',
    ['/x'],
    {
      STORAGE: 's3',
      S3_ENDPOINT: 'http://192.0.2.1',
      S3_BUCKET: 'images',
      S3_ACCESS_KEY: 'key',
      S3_SECRET_KEY: 'secret',
    },
    /--settings-only/,
  ],
])('%s: exit 2, and nothing has changed', async (_, args, env, reason) => {
  const places = args.map((each) => each.replace('PLACE', '/x'));
  const wrong = {
    ...env,
    ...(args[0]?.startsWith('PLACE') ? { REGISTRY_DATA_DIR: '/x/registry/data' } : {}),
  };
  const { exitCode, stderr } = await checkout.command('backup', places, { env: wrong });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(reason) });
});

test('--settings-only is for images in a bucket', async () => {
  const place = join(folder, 'settings');
  const env = {
    STORAGE: 's3',
    S3_ENDPOINT: 'http://192.0.2.1',
    S3_BUCKET: 'images',
    S3_ACCESS_KEY: 'key',
    S3_SECRET_KEY: 'secret',
  };
  expect((await backedUp(place, ['--settings-only'], env)).bytes).toBeLessThan(100_000);
  expect(await backedUp(place, ['--verify'])).toMatchObject({ images: 0 });
  expect(await backup(place, ['--settings-only'])).toMatchObject({ exitCode: 2 });
});

test('a target that gets full: exit 1, and the backup made before is whole', async () => {
  const small = join(folder, 'small');
  await mkdir(small);
  const disk = await mountSmallDisk(small, 4_000);
  try {
    await backedUp(join(small, 'target'));
    await pushMuch();
    const { exitCode, stderr } = await backup(join(small, 'target'));
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/is full[\s\S]*Free space there/),
    });
    await backedUp(join(small, 'target'), ['--verify', '--sample', 'all']);
  } finally {
    await disk.unmount();
  }
});

test('killed in the middle: restic ends with it, the backup before is whole, the next one goes on', async () => {
  const before = (await backedUp(target, ['--list'])).snapshots.length;
  const args = ['run', '--silent', 'backup', '--', target];
  const child = execa('npm', args, {
    cwd: checkout.root,
    env: { ...checkout.env, ...(await makeShim(join(folder, 'slower'), 'restic', '--limit-upload 200')) },
    reject: false,
    stdout: 'ignore',
    stderr: 'ignore',
  });
  const lock = join(checkout.root, 'var/locks/storage');
  const files = await filesIn(join(target, 'data'));
  await expect
    .poll(() => filesIn(join(target, 'data')), { timeout: 60_000, interval: 20 })
    .toBeGreaterThan(files);
  const other = await backup(target);
  expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/npm run backup is running/) });
  process.kill(JSON.parse(await readFile(lock, 'utf8')).pid, 'SIGKILL');
  await child;
  const aside = join(checkout.root, 'var/backup/aside');
  await expect.poll(() => workingIn(aside), { timeout: 10_000 }).toBe(0);
  expect((await backedUp(target, ['--list'])).snapshots).toHaveLength(before);
  await backedUp(target);
  await backedUp(target, ['--verify', '--sample', '2']);
});

test('over SSH; and when the host goes away in the middle: exit 1, and the backup made before is whole', async () => {
  const place = join(folder, 'over-ssh');
  const server = await SshServer.start(join(folder, 'ssh'));
  const there = `${server.login}:${place}`;
  try {
    await backedUp(there, [], server.env);
    await pushMuch();
    const slowly = await makeShim(join(folder, 'ssh/bin'), 'restic', '--limit-upload 1000');
    const files = await filesIn(join(place, 'data'));
    const running = backup(there, [], { PATH: slowly.PATH });
    await expect
      .poll(() => filesIn(join(place, 'data')), { timeout: 60_000, interval: 20 })
      .toBeGreaterThan(files);
    await server.stop();
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/can't be reached[\s\S]*ssh -o BatchMode/),
    });
    expect(await backup(there, ['--list'], server.env)).toMatchObject({ exitCode: 1 });
  } finally {
    await server.stop();
  }
  expect((await backedUp(place, ['--list'])).snapshots).toHaveLength(1);
  await backedUp(place, ['--verify', '--sample', 'all']);
});

test('into a bucket', async () => {
  const s3 = await startS3();
  try {
    const { origin } = s3.bucket.endpoint ?? {};
    const keys = {
      AWS_ACCESS_KEY_ID: s3.bucket.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.bucket.secretKey.reveal(),
    };
    const place = `s3:${origin}/${s3.bucket.bucket}/backups/one`;
    await backedUp(place, [], keys);
    expect(await backedUp(place, ['--verify', '--sample', '3'], keys)).toMatchObject({ images: 3 });
    const { exitCode, stderr } = await backup(place, [], { ...keys, AWS_SECRET_ACCESS_KEY: 'hush' });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/may not be used[\s\S]*AWS_SECRET_ACCESS_KEY/),
    });
    expect(stderr).not.toContain('hush');
  } finally {
    await s3.dispose();
  }
});

/** How many processes have this folder as theirs. */
async function workingIn(place: string): Promise<number> {
  const { stdout } = await execa('sh', ['-c', 'readlink /proc/[0-9]*/cwd 2>/dev/null || true']);
  return stdout.split('\n').filter((each) => each.startsWith(place)).length;
}
