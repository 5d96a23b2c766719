import { expect, test } from 'vitest';
import type { Present } from '../engine/roll-call.ts';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { expectedParts, partStates } from './parts.ts';

const since = new Date('2026-07-01T12:00:00Z');
const present = (part: string, change: Partial<Present> = {}): Present => ({
  part,
  state: 'running',
  health: 'healthy',
  since,
  restarts: 0,
  exitCode: 0,
  ...change,
});

const expected = async (environment: Record<string, string>) =>
  expectedParts(await loadSettings({ ...paths(), envFile: '/nowhere' }, environment));

test.each<[Record<string, string>, string[]]>([
  [{}, ['nginx', 'gate', 'registry', 'renewer']],
  [{ AUTH: 'registry' }, ['nginx', 'registry', 'renewer']],
  [{ RENEWER_REPLICAS: '0' }, ['nginx', 'gate', 'registry']],
  [{ REDIS_URL: 'stack' }, ['nginx', 'gate', 'registry', 'redis', 'renewer']],
  [{ REDIS_URL: 'redis://elsewhere:6379/0' }, ['nginx', 'gate', 'registry', 'renewer']],
  [{ MONITORING: 'true' }, ['nginx', 'gate', 'registry', 'renewer', 'exporter', 'prometheus']],
  [{ MIRROR_OF: 'https://hub.example' }, ['nginx', 'gate', 'registry', 'mirror', 'relay', 'renewer']],
])('with %j the stack has %j', async (environment, parts) => {
  expect(await expected(environment)).toEqual(parts);
});

test.each<[Partial<Present>, string]>([
  [{}, 'running'],
  [{ health: undefined }, 'running'],
  [{ health: 'starting' }, 'starting'],
  [{ health: 'unhealthy' }, 'unhealthy'],
  [{ state: 'paused' }, 'paused'],
  [{ state: 'restarting', health: 'unhealthy' }, 'restarting'],
  [{ state: 'exited', exitCode: 137 }, 'stopped'],
  [{ state: 'created' }, 'stopped'],
  [{ state: 'dead' }, 'stopped'],
])('%j is %s', (change, condition) => {
  const [state] = partStates(['gate'], [present('gate', change)]);
  expect(state).toMatchObject({ name: 'gate', condition, since });
  expect(state?.exitCode).toBe(condition === 'stopped' ? (change.exitCode ?? 0) : undefined);
});

test('parts stand in the order in which they are expected; who is not there is missing', () => {
  const states = partStates(['nginx', 'gate'], [present('gate', { restarts: 3 })]);
  expect(states).toEqual([
    { name: 'nginx', condition: 'missing', since: undefined, restarts: 0, exitCode: undefined },
    { name: 'gate', condition: 'running', since, restarts: 3, exitCode: undefined },
  ]);
});

test('what else runs is shown, and what else ended is not missed', () => {
  const others = [
    present('prometheus'),
    present('exporter', { health: 'unhealthy' }),
    present('old', { state: 'exited' }),
  ];
  expect(partStates(['nginx'], [...others, present('nginx')]).map(({ name }) => name)).toEqual([
    'nginx',
    'exporter',
    'prometheus',
  ]);
});

test('of several containers of a part the worst counts', () => {
  const states = partStates(['registry'], [present('registry'), present('registry', { state: 'exited' })]);
  expect(states.map(({ condition }) => condition)).toEqual(['stopped']);
});
