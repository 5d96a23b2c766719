import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { readCertificate } from './certificate.ts';
import { servedFingerprint } from './handshake.ts';
import { makeLeaf } from './x509.ts';

const started: Server[] = [];

afterEach(() => {
  for (const server of started.splice(0)) server.close();
});

async function addressOf(server: Server): Promise<{ host: string; port: number; timeout: number }> {
  started.push(server);
  return { host: '127.0.0.1', port: await listen(server), timeout: 10_000 };
}

/** A server with a certificate for each name, and `default.example` for who asks for none; notes who asks for what. */
async function tlsServer(...names: string[]) {
  const certificates = new Map<string, { readonly key: string; readonly cert: string }>();
  for (const name of ['default.example', ...names]) {
    const { privateKey, certificate } = await makeLeaf([name], new Date('2020-01-01T00:00:00Z'), 30);
    certificates.set(name, { key: privateKey, cert: certificate });
  }
  const asked: string[] = [];
  const server = createTlsServer({
    ...certificates.get('default.example'),
    SNICallback: (name, answer) => {
      asked.push(name);
      answer(null, createSecureContext(certificates.get(name)));
    },
  });
  const fingerprintOf = (name: string) => readCertificate(certificates.get(name)?.cert ?? '').fingerprint;
  return { target: await addressOf(server), asked, fingerprintOf };
}

test('shows what is served for each name, although it expired and nobody signed it', async () => {
  const { target, asked, fingerprintOf } = await tlsServer('a.example', 'b.example');
  for (const name of ['a.example', 'b.example']) {
    expect(await servedFingerprint({ ...target, servername: name })).toEqual({
      kind: 'shown',
      fingerprint: fingerprintOf(name),
    });
  }
  expect(asked).toEqual(['a.example', 'b.example']);
});

test.each(['192.0.2.7', 'fd00::1'])('%s is no name to ask for: no SNI is sent', async (address) => {
  const { target, asked, fingerprintOf } = await tlsServer();
  expect(await servedFingerprint({ ...target, servername: address })).toEqual({
    kind: 'shown',
    fingerprint: fingerprintOf('default.example'),
  });
  expect(asked).toEqual([]);
});

test('a port where nobody listens', async () => {
  const server = createServer();
  const target = await addressOf(server);
  server.close();
  await once(server, 'close');
  expect(await servedFingerprint({ ...target, servername: 'a.example' })).toEqual({
    kind: 'failed',
    reason: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a server that says nothing is left after the time given', async () => {
  const target = await addressOf(createServer((socket) => socket.on('error', () => undefined)));
  expect(await servedFingerprint({ ...target, servername: 'a.example', timeout: 50 })).toEqual({
    kind: 'failed',
    reason: 'no answer within 0.05 s',
  });
});

test.each<[string, (socket: Socket) => void]>([
  ['hangs up', (socket) => socket.destroy()],
  ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('a server that %s shows no certificate', async (_, answer) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  const handshake = await servedFingerprint({ ...(await addressOf(server)), servername: 'a.example' });
  expect(handshake.kind).toBe('failed');
});
