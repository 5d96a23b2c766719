import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { partsCheck } from '../doctor/stack/parts.ts';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { noteLastPlace } from '../storage/last-place.ts';
import type { Run } from '../system/processes.ts';
import { openContext } from './doctor.ts';

test('--fix starts nothing on a folder that the images have yet to follow to', async () => {
  const root = await mkdtemp(join(tmpdir(), 'doctor-'));
  const asked: string[] = [];
  const run: Run = async (command, args) => {
    asked.push([command, ...args].join(' '));
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  const environment = { REGISTRY_DATA_DIR: join(root, 'new'), TLS_ISSUER: 'none', HTTP_PORT: '1' };
  const app = {
    paths: paths(root),
    clock: new FakeClock('2026-07-01T12:00:00Z'),
    run,
    environment,
    owner: '0:0',
  };
  await mkdir(join(root, 'old/docker/registry/v2/repositories/app'), { recursive: true });
  await mkdir(app.paths.state);
  await noteLastPlace(app.paths.lastPlace, { place: join(root, 'old'), used: true });
  const { fix } = await partsCheck.run(
    {
      ...openContext(app, await loadSettings(app.paths, environment)),
      engine: new FakeEngine(),
      stack: async () => ({ wanted: { problem: 'nobody asked' }, containers: [] }),
    },
    { report: () => undefined, signal: new AbortController().signal },
  );
  await expect(fix?.safe?.()).rejects.toMatchObject({ code: 'images-elsewhere' });
  expect(asked).toEqual([]);
});
