import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BUILT } from '../../src/images/catalog.ts';
import { Secret } from '../../src/secret.ts';
import type { RedisServer } from '../../src/settings/storage.ts';
import { pingRedis } from '../../src/storage/redis.ts';
import { forgetInRedis } from '../../src/storage/redis-forget.ts';
import { ensureBuilt } from '../support/built-images.ts';

const CONTAINER = `moorage-test-redis-${randomBytes(4).toString('hex')}`;
const PASSWORD = 'not-so-secret';
const MANY = 2_500;
const DIGEST = `sha256:${'0'.repeat(64)}`;

let server: RedisServer;

beforeAll(async () => {
  await ensureBuilt('redis');
  const publish = ['--publish', '127.0.0.1::6379', '--entrypoint', 'redis-server'];
  const options = ['--protected-mode', 'no', '--requirepass', PASSWORD];
  await execa('docker', ['run', '--detach', '--name', CONTAINER, ...publish, BUILT.redis, ...options]);
  const { stdout } = await execa('docker', ['port', CONTAINER, '6379/tcp']);
  const port = Number(stdout.slice(stdout.lastIndexOf(':') + 1));
  server = { host: '127.0.0.1', port, user: undefined, password: new Secret(PASSWORD), database: 2 };
  const answers = () =>
    pingRedis(server).then(
      () => true,
      () => false,
    );
  await vi.waitUntil(answers, { timeout: 30_000 });
});

afterAll(() => execa('docker', ['rm', '--force', '--volumes', CONTAINER]));

async function redis(commands: readonly string[]): Promise<string> {
  const exec = ['exec', '--interactive', '--env', `REDISCLI_AUTH=${PASSWORD}`, CONTAINER, 'redis-cli'];
  return (await execa('docker', [...exec, '-n', String(server.database)], { input: commands.join('\n') }))
    .stdout;
}

test('what a registry remembers goes, and nothing else of the database', async () => {
  const foreign = ['blobs::of-somebody-else', 'repository', 'sessions::1', `other:blobs::${DIGEST}`];
  await redis([
    ...Array.from(
      { length: MANY },
      (_, number) => `SET blobs::sha256:${number.toString(16).padStart(64, '0')} x`,
    ),
    `HSET repository::team/app::blobs::${DIGEST} mediatype x`,
    `SADD repository::team/app::blobs ${DIGEST}`,
    ...foreign.map((key) => `SET ${key} x`),
  ]);
  expect(await forgetInRedis(server)).toBe(MANY + 2);
  expect((await redis(['KEYS *'])).split('\n').sort()).toEqual(foreign.sort());
  expect(await forgetInRedis(server)).toBe(0);
});

test.each([
  ['a wrong password', { password: new Secret('wrong') }],
  ['a database that is not there', { database: 4_000 }],
  ['nobody', { port: 1 }],
])('%s is a failure that says what to do, before anything is collected', async (_, wrong) => {
  await expect(forgetInRedis({ ...server, ...wrong })).rejects.toMatchObject({
    code: 'redis-silent',
    remedy: expect.stringMatching(/^No image was touched/),
  });
});
