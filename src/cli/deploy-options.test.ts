import { mkdtemp, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { paths } from '../paths.ts';
import { type DeployOptions, readOrders } from './deploy-options.ts';

const OPTIONS: DeployOptions = {
  set: [],
  with: [],
  skip: [],
  system: false,
  dryRun: false,
  yes: false,
  json: false,
  uninstall: false,
};

afterEach(() => vi.unstubAllEnvs());

test('a key of an inventory is looked for where the person is, not where npm runs; ~ and %d stay for ssh', async () => {
  const where = await mkdtemp(join(tmpdir(), 'moorage-keys-'));
  vi.stubEnv('INIT_CWD', where);
  const keys = ['keys/one', '~/.ssh/two', '%d/three', join(homedir(), 'four')];
  const lines = keys.map((key, index) => `h${index} ansible_ssh_private_key_file=${key}\n`);
  await writeFile(join(where, 'hosts.ini'), lines.join(''));
  const orders = await readOrders(paths(where), undefined, { ...OPTIONS, inventory: 'hosts.ini' });
  expect(orders.map(({ target }) => target.destination.identityFile)).toEqual([
    join(where, 'keys/one'),
    ...keys.slice(1),
  ]);
});

test('what is no archive of images is refused here, not once it was copied there', async () => {
  const where = await mkdtemp(join(tmpdir(), 'moorage-archive-'));
  const packed = join(where, 'moorage.tgz');
  await writeFile(packed, Buffer.from([0x1f, 0x8b, 8, 0]));
  const orders = readOrders(paths(where), 'root@vps', { ...OPTIONS, images: packed });
  await expect(orders).rejects.toMatchObject({ code: 'archive-foreign' });
});
