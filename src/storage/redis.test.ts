import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { Secret } from '../secret.ts';
import type { RedisServer } from '../settings/storage.ts';
import { pingRedis } from './redis.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

/** Says the given line to each command, the last one again and again; what it was told comes first. */
async function redisThatSays(...lines: string[]) {
  const told: string[] = [];
  server = createServer((socket) => {
    socket.once('error', () => undefined);
    socket.on('data', (data) => {
      told.push(data.toString());
      const commands = data.toString().match(/^\*/gm)?.length ?? 0;
      const said = Array.from({ length: commands }, (_, index) => lines[index] ?? lines.at(-1));
      socket.write(said.map((line) => `${line}\r\n`).join(''));
    });
  });
  const port = await listen(server);
  const at: RedisServer = { host: '127.0.0.1', port, user: undefined, password: undefined, database: 2 };
  return { told, at };
}

test('logs in, chooses the database, pings', async () => {
  const { told, at } = await redisThatSays('+OK', '+OK', '+PONG');
  await pingRedis({ ...at, user: 'ada', password: new Secret('p w') });
  expect(told.join('')).toBe(
    '*3\r\n$4\r\nAUTH\r\n$3\r\nada\r\n$3\r\np w\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n*1\r\n$4\r\nPING\r\n',
  );
});

test.each([
  ['-NOAUTH Authentication required.', 'redis-login', /wants a password/],
  ['-WRONGPASS invalid username-password pair or user is disabled.', 'redis-login', /refuses the login/],
  ['-ERR AUTH <password> called without any password configured', 'redis-login', /refuses the login/],
  ['-DENIED Redis is running in protected mode', 'redis-login', /protected mode/],
  ['-ERR DB index is out of range', 'redis-database', /no database 2/],
  ['-LOADING Redis is loading the dataset in memory', 'redis-unwell', /LOADING/],
])('%s is told as what it is', async (line, code, message) => {
  const { at } = await redisThatSays(line);
  const asked = pingRedis({ ...at, password: new Secret('hush') });
  await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await expect(asked).rejects.not.toMatchObject({ message: expect.stringContaining('hush') });
});

test('nobody there', async () => {
  const { at } = await redisThatSays('+OK');
  server?.close();
  await expect(pingRedis(at)).rejects.toMatchObject({ code: 'redis-silent' });
});
