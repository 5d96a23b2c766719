import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeEngine } from '../../../test/support/fake-engine.ts';
import { paths } from '../../paths.ts';
import { loadSettings } from '../../settings/load.ts';
import { run } from '../../system/processes.ts';
import { type App, openJournal } from '../app.ts';
import { expectWhole } from './departure.ts';

let app: App;
let root: string;
const engine = new FakeEngine();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'whole-'));
  const clock = new FakeClock('2026-07-01T12:00:00Z');
  app = { paths: paths(root), clock, run, owner: '0:0', environment: {} };
  for (const name of ['registry/data', 'elsewhere']) await mkdir(join(root, name), { recursive: true });
  serve('registry/data');
});

function serve(folder: string): void {
  const mounts = [{ source: join(root, folder), destination: '/var/lib/registry' }];
  const registry = { id: 'registry', name: 'registry', running: true, networks: [], mounts };
  engine.running = [{ ...registry, project: 'moorage', workingDirectory: root }];
}

const whole = async () =>
  expectWhole({ app, engine, settings: await loadSettings(app.paths, app.environment) });

test('images go to another machine from where the registry writes them', async () => {
  await expect(whole()).resolves.toBeUndefined();
  serve('elsewhere');
  await expect(whole()).rejects.toMatchObject({ code: 'served-elsewhere' });
});

test('not while a move from folder to folder is half done', async () => {
  await openJournal(app, 'storage').begin({ from: '/a', to: '/b', compared: '0' });
  await expect(whole()).rejects.toMatchObject({
    code: 'interrupted',
    remedy: expect.stringContaining('npm run storage -- move'),
  });
});
