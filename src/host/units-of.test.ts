import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectOfUnit, unitsOf } from './units-of.ts';

test('units of a checkout are found whatever its stack is called, and those of others are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'units-'));
  const write = (name: string, checkout: string) =>
    writeFile(join(folder, name), `[Service]\nWorkingDirectory=${checkout}\n`);
  await write('images-renewer.service', '/srv/registry');
  await write('moorage-renewer.service', '/srv/registry-2');
  await write('cron.service', '/srv/registry');
  const units = await unitsOf('/srv/registry', folder);
  expect(units).toEqual(['images-renewer.service']);
  expect(units.map(projectOfUnit)).toEqual(['images']);
});

test('where there is no systemd there are no units', async () => {
  expect(await unitsOf('/srv/registry', '/nonexistent')).toEqual([]);
});
