import { chown, mkdir, mkdtemp, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { Secret } from '../secret.ts';
import { Restic } from './restic.ts';
import { settingsStage, stageSettings } from './stage-settings.ts';

test('what a link in a backup leads to on this machine stays whose it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stage-'));
  const places = paths(join(folder, 'checkout'));
  const elsewhere = join(folder, 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'file'), '');
  const somebody = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);
  await chown(join(elsewhere, 'file'), somebody, -1);
  const run = async () => {
    const user = join(settingsStage(places), 'nginx/user.d');
    await mkdir(user, { recursive: true });
    await symlink(elsewhere, join(user, 'more'));
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  const target = { kind: 'folder', folder: '/b', repository: '/b', shown: '/b' } as const;
  const restic = new Restic({ run, command: ['restic'], cache: folder }, target, new Secret('x'), undefined);
  const snapshot = { id: '1', shortId: '1', time: new Date(0), registry: 'a' };
  await stageSettings(restic, snapshot, places, {});
  expect((await stat(join(elsewhere, 'file'))).uid).toBe(somebody);
});
