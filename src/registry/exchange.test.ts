import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { CutOff, exchange, type Question, type Speaker } from './exchange.ts';

const MIB = 1024 ** 2;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function speakTo(listener: RequestListener): Promise<Speaker> {
  const server = createServer(listener);
  servers.push(server);
  const port = await listen(server);
  return { endpoint: { name: 'localhost', host: '127.0.0.1', port, trust: { kind: 'plain' } } };
}

const ask = (speaker: Speaker, question: Partial<Question> = {}) =>
  exchange(speaker, { method: 'PATCH', path: '/', ...question }, { signal: new AbortController().signal });

function* pieces(count: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n += 1) yield Buffer.alloc(MIB);
}

test('an answer that comes before the end of the body is the answer, and ends the sending', async () => {
  const speaker = await speakTo((_, response) => {
    response.writeHead(413, { server: 'a hop' }).end('too large');
  });
  const reply = await ask(speaker, { body: pieces(1000) });
  expect(reply).toMatchObject({ status: 413, text: 'too large', headers: { server: 'a hop' } });
  expect(reply.sent).toBeLessThan(1000 * MIB);
});

test('a body goes out whole, chunked unless its length is said', async () => {
  const told: unknown[] = [];
  const speaker = await speakTo(async (asked, response) => {
    let bytes = 0;
    for await (const piece of asked) bytes += piece.length;
    told.push([bytes, asked.headers['transfer-encoding'], asked.headers['content-length']]);
    response.end();
  });
  await ask(speaker, { body: pieces(3) });
  await ask(speaker, { body: pieces(3), length: 3 * MIB });
  expect(told).toEqual([
    [3 * MIB, 'chunked', undefined],
    [3 * MIB, undefined, String(3 * MIB)],
  ]);
});

test('a connection that breaks tells how far it came', async () => {
  const speaker = await speakTo((asked) => {
    asked.once('data', () => asked.socket.destroy());
  });
  const cut = await ask(speaker, { body: pieces(1000) }).catch((error: unknown) => error);
  expect(cut).toBeInstanceOf(CutOff);
  expect(cut instanceof CutOff && cut.sent > 0).toBe(true);
});

test('nobody there is a connection that was never there', async () => {
  const { endpoint } = await speakTo(() => undefined);
  servers.splice(0)[0]?.close();
  await expect(ask({ endpoint })).rejects.toThrow(/ECONNREFUSED/);
});
