import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Upstream } from './upstream.ts';

test('what is read over a connection that the registry closes just then is asked again, what changes is not', async () => {
  const socketPath = join(await mkdtemp(join(tmpdir(), 'upstream-')), 'registry.sock');
  const used = new Set<Socket>();
  const server = createServer(({ socket }, response) => {
    if (used.has(socket)) socket.destroy();
    else response.end('here');
    used.add(socket);
  }).listen(socketPath);
  await once(server, 'listening');
  const upstream = new Upstream(socketPath, new FakeClock('2026-01-01T00:00:00Z'), 0);
  const read = (method: string) => upstream.read({ method, uri: '/v2/' });
  for (const method of ['GET', 'GET', 'HEAD', 'GET'])
    expect(await read(method)).toMatchObject({ status: 200 });
  await expect(read('DELETE')).rejects.toThrow(/hang up/);
  upstream.close();
  server.close();
});
