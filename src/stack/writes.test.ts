import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import type { Clock } from '../system/clock.ts';
import { withWritesClosed } from './writes.ts';

let nginx: Server;
let places: ReturnType<typeof paths>;

beforeEach(async () => {
  places = paths(await mkdtemp(join(tmpdir(), 'writes-')));
  const lease = join(places.maintenance, 'gc.lease');
  nginx = createServer((_, response) => {
    if (existsSync(lease)) response.writeHead(503).end('writes are closed');
    else response.writeHead(401).end();
  }).listen(0, '127.0.0.1');
  await once(nginx, 'listening');
});

afterEach(() => nginx.close());

test('a lease that runs out just before it is written anew is not brought back', async () => {
  const address = nginx.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const settings = await loadSettings(places, { TLS_ISSUER: 'none', AUTH: 'registry', HTTP_PORT: port });
  const start = Date.now();
  let looks = Number.POSITIVE_INFINITY; // this often at the time; forty seconds later from then on
  const clock: Clock = {
    now: () => new Date(looks-- > 0 ? start : start + 40_000),
    sleep: (_, signal) =>
      new Promise((resolve, reject) => {
        if (signal === undefined) resolve();
        else signal.addEventListener('abort', reject);
      }),
  };
  const work = withWritesClosed({ paths: places, settings, clock }, 'gc', async (writes) => {
    await writes.enter('closing');
    looks = 1;
    await writes.enter('closed');
  });
  await expect(work).rejects.toMatchObject({ code: 'lease-lapsed' });
});
