import { mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import type { ContainerFacts } from '../engine/engine.ts';
import { expectNotStarted, whoServes } from './served.ts';

let root: string;
const engine = new FakeEngine();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'served-'));
  await mkdir(join(root, 'old'));
  await mkdir(join(root, 'new'));
  await symlink('old', join(root, 'link'));
});

function serve(name: string, how: Pick<ContainerFacts, 'running' | 'onHold'> = { running: true }): void {
  const mounts = [{ source: join(root, name), destination: '/var/lib/registry' }];
  const container = { id: 'registry', name: 'registry', networks: [], mounts, ...how };
  engine.running = [{ ...container, project: 'moorage', workingDirectory: root }];
}

const look = (from: string, to: string) =>
  whoServes(engine, { project: 'moorage' }, { from: join(root, from), to: join(root, to) });

test.each([
  ['old', 'old'],
  ['new', 'new'],
  ['link', 'old'],
])('a registry on %s serves the %s place', async (name, served) => {
  serve(name);
  expect(await look('old', 'new')).toBe(served);
});

test('one that has ended serves nobody; one that the engine is about to start again serves its place', async () => {
  serve('old', { running: false });
  expect(await look('old', 'new')).toBe('nobody');
  serve('old', { running: false, onHold: 'restarting' });
  expect(await look('old', 'new')).toBe('old');
});

test('one that is paused is not at rest: it would go on with its place', async () => {
  serve('old', { running: false, onHold: 'paused' });
  await expect(look('old', 'new')).rejects.toMatchObject({
    code: 'part-paused',
    remedy: expect.stringContaining('docker compose unpause'),
  });
});

test('one that is elsewhere is not taken for either', async () => {
  serve('new');
  await expect(look('old', 'old')).rejects.toMatchObject({
    code: 'served-elsewhere',
    message: `The registry that runs has its images in ${join(root, 'new')}, and not in ${join(root, 'old')}.`,
  });
});

test('one that was started on the new place ends what would take away its pushes', async () => {
  const places = { from: join(root, 'old'), to: join(root, 'new') };
  serve('old');
  await expectNotStarted(engine, { project: 'moorage' }, places);
  serve('new');
  await expect(expectNotStarted(engine, { project: 'moorage' }, places)).rejects.toMatchObject({
    code: 'served-elsewhere',
  });
});
