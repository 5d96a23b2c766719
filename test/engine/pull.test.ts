import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/engine/connect.ts';
import { BUILT } from '../../src/images/catalog.ts';
import { makeImage } from '../../src/registry/image.ts';
import { environment } from '../../src/settings/environment.ts';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { freePort } from '../support/checkout.ts';

const { images } = connect(environment().DOCKER_HOST);
const name = `moorage-test-upstream-${randomBytes(4).toString('hex')}`;

let port: number;
let cutting: Server;

beforeAll(async () => {
  await ensureBuilt('registry');
  port = await freePort();
  const config = 'version: 0.1\nstorage: {inmemory: {}}\nhttp:\n  addr: 0.0.0.0:5000\n';
  const serve = ['-c', 'printf "$0" >/r.yml && exec registry serve /r.yml', config];
  const publish = ['--publish', `127.0.0.1:${port}:5000`, '--entrypoint', '/bin/sh'];
  await execa('docker', ['run', '--detach', '--name', name, ...publish, BUILT.registry, ...serve]);
  const reference = `127.0.0.1:${port}/app:1`;
  await images.load(await (await makeImage(randomBytes(3_000_000).toString('base64'))).archive(reference));
  const pushed = await eventually(systemClock, { within: 60_000, every: 200 }, async () => {
    const { exitCode } = await execa('docker', ['push', reference], { reject: false });
    return exitCode === 0 ? true : undefined;
  });
  if (pushed === undefined) throw new Error('the upstream registry does not take a push');
  await images.remove(reference);
  cutting = await cuttingProxy(port);
});

afterAll(async () => {
  cutting.close();
  cutting.closeAllConnections();
  await execa('docker', ['rm', '-f', name]);
});

test('an image is pulled, with its progress', async () => {
  const lines: string[] = [];
  const reference = `127.0.0.1:${port}/app:1`;
  await images.pull(reference, (line) => lines.push(line));
  expect(await images.inspect(reference)).toMatchObject({
    repoDigests: [expect.stringContaining('@sha256:')],
  });
  expect(lines.at(-1)).toMatch(/app:1 (\d+\.\d) of \1 MB$/);
  await images.remove(reference);
});

test('an image that is not there is a failed pull', async () => {
  const attempt = images.pull(`127.0.0.1:${port}/app:none`, () => undefined);
  await expect(attempt).rejects.toMatchObject({
    code: 'pull-failed',
    message: expect.stringContaining('app:none'),
  });
});

test('where nobody answers it is said so', async () => {
  const attempt = images.pull(`127.0.0.1:${await freePort()}/app:1`, () => undefined);
  await expect(attempt).rejects.toMatchObject({ code: 'registry-unreachable' });
});

test('a pull that is cut off in the middle of a layer fails, and leaves no half image', async () => {
  const address = cutting.address();
  const reference = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/app:1`;
  await expect(images.pull(reference, () => undefined)).rejects.toMatchObject({
    code: expect.stringMatching(/pull-failed|registry-unreachable/),
    message: expect.stringContaining('app:1'),
    remedy: expect.stringMatching(/\S/),
  });
  expect(await images.inspect(reference)).toBeUndefined();
});

/** Passes everything on, but breaks the connection after the first kilobyte of any large answer. */
async function cuttingProxy(upstream: number): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port: upstream, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (Number(answer.headers['content-length'] ?? 0) < 100_000 || method === 'HEAD') answer.pipe(outgoing);
      else
        answer.once('data', (chunk: Buffer) =>
          outgoing.write(chunk.subarray(0, 1024), () => outgoing.destroy()),
        );
    });
    // The engine tries again and again: a try may find the upstream already gone.
    onward.once('error', () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
