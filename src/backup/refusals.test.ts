import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { parseBackupTarget } from '../settings/backup-target.ts';
import { loadSettings } from '../settings/load.ts';
import { expectBackable } from './refusals.ts';

test('a backup among the registry’s own files, which come and go, is refused', async () => {
  const places = paths(await mkdtemp(join(tmpdir(), 'refusals-')));
  await writeFile(places.envFile, `REGISTRY_DATA_DIR=${places.root}/images\n`);
  const settings = await loadSettings(places, {});
  const backUpTo = async (text: string) => {
    const target = parseBackupTarget(text);
    if (typeof target === 'string') throw new Error(target);
    return expectBackable(places, settings, target, false);
  };
  for (const folder of [
    'images/docker/x',
    'images/x/../docker',
    'images/.moorage-restore/b',
    'var/backup/aside',
  ])
    await expect(backUpTo(`${places.root}/${folder}`)).rejects.toThrow(/own files/);
  await backUpTo(`${places.root}/var/backups`);
});
