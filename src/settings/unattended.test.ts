import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type Paths, paths } from '../paths.ts';
import { loadSettings } from './load.ts';
import { leaveToContainer, leaveToHost, loadUnattended } from './unattended.ts';

let places: Paths;

beforeEach(async () => {
  places = paths(await mkdtemp(join(tmpdir(), 'unattended-')));
  await writeFile(places.envFile, 'DOMAIN=localhost\n');
});

const text = () => readFile(places.envFile, 'utf8');
const renewerContainer = async () => (await loadSettings(places, {})).renewerContainer;

test('a setting that only the shell has is refused by name: a service would not see it', async () => {
  await expect(loadUnattended(places, { DOMAIN: 'r.example', HTTPS_PORT: '8443' })).rejects.toMatchObject({
    problems: [
      { input: 'DOMAIN', message: expect.stringContaining('.env') },
      { input: 'HTTPS_PORT', message: expect.stringContaining('.env') },
    ],
  });
});

test('what the shell repeats of .env, and what is no setting, is fine', async () => {
  expect(await loadUnattended(places, { DOMAIN: 'localhost', SHELL: '/bin/sh' })).toMatchObject({
    domain: 'localhost',
  });
});

test('the host’s task is in .env while it has it, and no trace of it afterwards', async () => {
  await leaveToHost(places, { renewerContainer: true }, async () => {});
  expect(await text()).toMatch(/^DOMAIN=localhost$.*^RENEWER_REPLICAS=0$/ms);
  expect(await renewerContainer()).toBe(false);
  await leaveToContainer(places);
  expect(await text()).not.toContain('RENEWER');
  expect(await renewerContainer()).toBe(true);
});

test.each([
  ['the container keeps its task where it had it', true],
  ['the host keeps it where the unit was only to be brought up to date', false],
])('when the host can’t do it: %s', async (_, before) => {
  const work = () => Promise.reject(new Error('does not stay up'));
  await expect(leaveToHost(places, { renewerContainer: before }, work)).rejects.toThrow('does not stay up');
  expect(await renewerContainer()).toBe(before);
});
