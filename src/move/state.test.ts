import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { paths as pathsOf } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { stageState } from './state.ts';

const BLOCK = '# --- Written by init-tls. Change the settings above instead. ---';
const SECRET = 'a-secret-of-more-than-thirty-two-letters';

test('the password that backups are encrypted with goes along, and so do settings that stand at the end', async () => {
  const here = pathsOf(await mkdtemp(join(tmpdir(), 'move-here-')));
  await writeFile(
    here.envFile,
    `DOMAIN=r.example\n\n${BLOCK}\nREGISTRY_HTTP_SECRET=${SECRET}\nRENEWER_REPLICAS=0\nLISTEN=tls\nBACKUP_PASSWORD=made\nAUTH=registry\nHTTP_PORT=8080\n`,
  );
  const goal = { to: 'root@new', folder: '/srv/moorage', set: { HTTP_PORT: '81' } };
  const { stage } = await stageState(here, {}, await loadSettings(here, {}), goal);
  expect(parse(await readFile(join(stage, '.env'), 'utf8'))).toEqual({
    ...{ DOMAIN: 'r.example', HTTP_PORT: '81', AUTH: 'registry' },
    ...{ REGISTRY_HTTP_SECRET: SECRET, BACKUP_PASSWORD: 'made' },
  });
});

test('who renews here says nothing about who renews there', async () => {
  const here = pathsOf(await mkdtemp(join(tmpdir(), 'move-here-')));
  await writeFile(here.envFile, `RENEWER_REPLICAS=0\n${BLOCK}\nREGISTRY_HTTP_SECRET=${SECRET}\n`);
  const settings = await loadSettings(here, {});
  const renews = async (set: Record<string, string>) => {
    const staged = await stageState(here, {}, settings, { to: 'root@new', folder: '/srv/moorage', set });
    return staged.settings.renewerContainer;
  };
  expect([await renews({}), await renews({ RENEWER_REPLICAS: '0' })]).toEqual([true, false]);
});
