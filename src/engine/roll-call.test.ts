import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { rollCall } from './roll-call.ts';

const STARTED = '2026-07-01T12:00:00.123456789Z';
const FINISHED = '2026-07-01T13:00:00Z';
const NEVER = '0001-01-01T00:00:00Z';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

/** An engine on a socket that answers paths, without their queries. */
async function engine(answers: Readonly<Record<string, unknown>>) {
  const socket = join(await mkdtemp(join(tmpdir(), 'engine-')), 'docker.sock');
  const asked: string[] = [];
  server = createServer((incoming, outgoing) => {
    asked.push(decodeURIComponent(incoming.url ?? ''));
    const answer = answers[(incoming.url ?? '').replace(/\?.*/, '')];
    outgoing
      .writeHead(answer === undefined ? 404 : 200)
      .end(JSON.stringify(answer ?? { message: 'no such container' }));
  }).listen(socket);
  await once(server, 'listening');
  return { host: `unix://${socket}`, asked };
}

const listed = (id: string, service: string, oneoff = 'False') => ({
  Id: id,
  Labels: { 'com.docker.compose.service': service, 'com.docker.compose.oneoff': oneoff },
});
const container = (change: object, restarts = 0) => ({
  RestartCount: restarts,
  State: { Status: 'running', StartedAt: STARTED, FinishedAt: NEVER, ExitCode: 0, ...change },
});

test('every container of the project, how it is, since when, and how often it was started again', async () => {
  const { host, asked } = await engine({
    '/containers/json': [
      listed('a', 'nginx'),
      listed('b', 'gate'),
      listed('c', 'registry'),
      listed('d', 'relay'),
    ],
    '/containers/a/json': container({ Health: { Status: 'healthy' } }, 2),
    '/containers/b/json': container({
      Status: 'exited',
      FinishedAt: FINISHED,
      ExitCode: 137,
      Health: { Status: 'unhealthy' },
    }),
    '/containers/c/json': container({ Status: 'created', StartedAt: NEVER }),
    '/containers/d/json': container({ Health: { Status: 'none' } }),
  });
  expect(await rollCall(host, 'mine')).toEqual([
    {
      part: 'nginx',
      state: 'running',
      health: 'healthy',
      since: new Date(STARTED),
      restarts: 2,
      exitCode: 0,
    },
    {
      part: 'gate',
      state: 'exited',
      health: 'unhealthy',
      since: new Date(FINISHED),
      restarts: 0,
      exitCode: 137,
    },
    { part: 'registry', state: 'created', health: undefined, since: undefined, restarts: 0, exitCode: 0 },
    {
      part: 'relay',
      state: 'running',
      health: undefined,
      since: new Date(STARTED),
      restarts: 0,
      exitCode: 0,
    },
  ]);
  expect(asked[0]).toContain('label":["com.docker.compose.project=mine"]');
  expect(asked[0]).toContain('all=1');
});

test('containers of `docker compose run`, and those that are gone before they are looked at, are no parts', async () => {
  const { host } = await engine({
    '/containers/json': [listed('a', 'nginx', 'True'), listed('gone', 'gate')],
    '/containers/a/json': container({}),
  });
  expect(await rollCall(host, 'mine')).toEqual([]);
});

test('an engine that is away says so, and what to do', async () => {
  await expect(rollCall('unix:///nowhere/docker.sock', 'mine')).rejects.toMatchObject({
    code: 'engine-unreachable',
    remedy: expect.stringContaining('systemctl start docker'),
  });
});

test('an engine over the network', async () => {
  server = createServer((_, outgoing) => outgoing.end('[]'));
  const port = await listen(server);
  expect(await rollCall(`tcp://127.0.0.1:${port}`, 'mine')).toEqual([]);
});

test('an answer that is none is told', async () => {
  const { host } = await engine({ '/containers/json': { message: 'strange' } });
  await expect(rollCall(host, 'mine')).rejects.toThrow(
    /^No engine answers at .*: its answer is not understood\.$/,
  );
});
