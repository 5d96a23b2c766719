import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import type { ContainerFacts } from '../engine/engine.ts';
import { expectNotServed, stopStack } from './stop.ts';

test('images that another stack serves are not moved away under it; one’s own stack is stopped for that', async () => {
  const engine = new FakeEngine();
  const serving = (workingDirectory: string) => ({
    id: '1',
    name: 'moorage-registry-1',
    running: true,
    project: 'moorage',
    workingDirectory,
    networks: [],
    mounts: [{ source: '/srv/images', destination: '/var/lib/registry' }],
  });
  engine.running = [serving('/opt/moorage')];
  await expectNotServed(engine, { root: '/opt/moorage' }, '/srv/images');
  await expectNotServed(engine, { root: '/home/trial' }, '/srv/others');
  await expect(expectNotServed(engine, { root: '/home/trial' }, '/srv/images')).rejects.toMatchObject({
    code: 'in-use',
    message: '/srv/images is in use by the container moorage-registry-1 of /opt/moorage.',
  });
});

test('what is paused or about to be started again is stopped as well: it would go on with files of before', async () => {
  const engine = new FakeEngine();
  const part = (
    id: string,
    how: Pick<ContainerFacts, 'running' | 'onHold'>,
    workingDirectory = '/opt/moorage',
  ) => ({
    id,
    name: id,
    project: 'moorage',
    workingDirectory,
    networks: [],
    mounts: [],
    ...how,
  });
  engine.containers.ofProject = async () => [
    part('nginx', { running: true }),
    part('registry', { running: false, onHold: 'paused' }),
    part('gate', { running: false, onHold: 'restarting' }),
    part('renewer', { running: false }),
    part('other', { running: true }, '/home/trial'),
  ];
  const asked: (readonly string[])[] = [];
  const run = async (_: string, args: readonly string[]) => {
    asked.push(args);
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  const place = { engine, run, paths: { root: '/opt/moorage' } };
  expect(await stopStack(place, { project: 'moorage' }, () => undefined)).toMatchObject({
    summary: '3 containers stopped',
  });
  expect(asked).toEqual([['stop', 'nginx', 'registry', 'gate']]);
});
