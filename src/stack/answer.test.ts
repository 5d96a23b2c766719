import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { registrySilence } from './answer.ts';

/** What is said of a front that answers with this status. */
async function silenceOf(status: number): Promise<string | undefined> {
  const server = createServer((_, response) => response.writeHead(status).end('why\n'));
  const port = await listen(server);
  try {
    return await registrySilence(await settingsFor(port));
  } finally {
    server.close();
  }
}

const settingsFor = (port: number) =>
  loadSettings({ ...paths(), envFile: '/nowhere' }, { TLS_ISSUER: 'none', HTTP_PORT: String(port) });

test.each([200, 401, 404])('%d is an answer: who asks has no password', async (status) => {
  expect(await silenceOf(status)).toBeUndefined();
});

test('an error of the server is none, and is told', async () => {
  expect(await silenceOf(503)).toBe('503 why');
});

test('where nobody listens, that is told', async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await registrySilence(await settingsFor(port))).toMatch(/^connect ECONNREFUSED/);
});
