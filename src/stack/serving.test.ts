import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import type { ContainerFacts } from '../engine/engine.ts';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { startServing } from './serving.ts';

const NO_ENV = { ...paths(), envFile: '/nowhere' };
const silent = () => undefined;

/** Containers by part, before Compose and after it; what was asked of Compose, and what was removed. */
async function started(before: Record<string, string>, after: Record<string, string>, settings = {}) {
  const engine = new FakeEngine();
  let now = before;
  let args: readonly string[] = [];
  let removed: readonly string[] = [];
  engine.containers.ofService = async (_, part) => (now[part] === undefined ? [] : [container(now[part])]);
  engine.leftovers.remove = async (_, names) => {
    removed = names;
  };
  const run = async (_: string, given: readonly string[]) => {
    args = given;
    now = after;
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  const place = { engine, run, paths: NO_ENV };
  const { changed, summary } = await startServing(place, await loadSettings(NO_ENV, settings), silent);
  return { changed, summary, args, removed };
}

const container = (id: string): ContainerFacts => ({
  id,
  name: id,
  running: true,
  project: 'moorage',
  workingDirectory: undefined,
  networks: [],
  mounts: [],
});

const ALL = { registry: 'r1', gate: 'g1', nginx: 'n1' };

test('parts that run as wanted are said to run', async () => {
  expect(await started(ALL, ALL)).toMatchObject({ changed: false, summary: 'registry, gate and nginx run' });
});

test('of parts that are started anew only these are said to be', async () => {
  expect(await started(ALL, { ...ALL, gate: 'g2' })).toMatchObject({
    changed: true,
    summary: 'gate started, registry and nginx run',
  });
  expect((await started({}, ALL)).summary).toBe('registry, gate and nginx started');
});

test('parts that the settings want no more are stopped, and Compose is told of a Redis that it knows no more', async () => {
  const withRedis = { ...ALL, redis: 'c1' };
  const { summary, args } = await started(withRedis, { ...ALL, registry: 'r2' });
  expect(summary).toBe('registry started, gate and nginx run');
  expect(args).toContain('--remove-orphans');
  expect((await started(ALL, ALL)).args).not.toContain('--remove-orphans');
  expect((await started({ ...ALL, mirror: 'm1', relay: 'e1' }, ALL)).summary).toBe(
    'mirror and relay stopped, registry, gate and nginx run',
  );
  expect((await started(ALL, withRedis, { REDIS_URL: 'stack' })).args).toContain('redis');
});

test.each([
  [{}, ['cache', 'outside', 'mirror', 'upstream', 'mirror-socket', 'monitoring']],
  [{ REDIS_URL: 'stack' }, ['outside', 'mirror', 'upstream', 'mirror-socket', 'monitoring']],
  [{ REDIS_URL: 'redis://10.0.0.6' }, ['cache', 'mirror', 'upstream', 'mirror-socket', 'monitoring']],
  [{ MIRROR_OF: 'docker.io' }, ['cache', 'outside', 'monitoring']],
  [{ MONITORING: 'true' }, ['cache', 'outside', 'mirror', 'upstream', 'mirror-socket']],
])('with %j the networks and volumes that no part has are removed: %j', async (settings, names) => {
  expect((await started(ALL, ALL, settings)).removed).toEqual(names);
});
