import { createServer, type ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { fetchPlain } from './http-01.ts';

test('an answer that never ends is given up', async () => {
  const open: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    open.push(response);
    response.writeHead(200);
    const drip = setInterval(() => response.write('x'), 50);
    response.once('close', () => clearInterval(drip));
  });
  const port = await listen(server);
  await expect(fetchPlain({ host: '127.0.0.1', port }, 'a.example', '/', 300)).rejects.toThrow();
  expect(open).toHaveLength(1);
  server.closeAllConnections();
  server.close();
});
