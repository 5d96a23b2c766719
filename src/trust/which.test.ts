import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { makeTestCa, type TestCa } from '../../test/support/test-ca.ts';
import { paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { systemClock } from '../system/clock.ts';
import type { RegistryName } from './registry-name.ts';
import { type Elsewhere, namesOf, otherRegistry, ownRegistry } from './which.ts';

let root: string;
let ca: TestCa;
let fingerprint: string;
let server: Server;
let name: RegistryName;
/** What the registry offers under /ca.crt. */
let offered: string | undefined;
let asked: string[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'moorage-which-'));
  ca = await makeTestCa(join(root, 'ca'));
  offered = ca.certificate;
  const tls = await ca.issue(join(root, 'tls'), ['r.test']);
  server = createServer(tls, (request, response) => {
    const found = request.url === '/ca.crt' && offered !== undefined;
    response.writeHead(found ? 200 : 404).end(found ? offered : '');
  });
  const port = await listen(server);
  name = { name: 'r.test', port, authority: `r.test:${port}` };
});

afterAll(async () => {
  server.close();
  await rm(root, { recursive: true });
});

function other(given: Partial<Elsewhere> = {}, agrees = false) {
  asked = [];
  const confirm = async (shown: string) => {
    asked.push(shown);
    fingerprint = shown;
    return agrees;
  };
  const elsewhere = { host: '127.0.0.1', file: undefined, fingerprint: undefined, confirm, ...given };
  return otherRegistry(name, elsewhere, systemClock);
}

test('a CA that is fetched is trusted by nobody’s silence', async () => {
  await expect(other()).rejects.toMatchObject({ code: 'not-confirmed' });
  expect(asked).toHaveLength(1);
});

test('a person who compares it, or the right fingerprint, is enough', async () => {
  const agreed = await other({}, true);
  expect(agreed).toMatchObject({
    kind: 'registry',
    registry: { authorities: [name.authority], names: ['r.test'] },
  });
  expect(await other({ fingerprint: fingerprint.toLowerCase().replaceAll(':', '') })).toEqual(agreed);
  expect(asked).toEqual([]);
  await expect(other({ fingerprint: 'AB:CD' }, true)).rejects.toMatchObject({ code: 'fingerprint-differs' });
});

test('a CA from a file needs no asking, but has to vouch for the registry', async () => {
  expect(await other({ file: ca.trust })).toMatchObject({ kind: 'registry' });
  const stranger = await makeTestCa(join(root, 'stranger'));
  await expect(other({ file: stranger.trust })).rejects.toMatchObject({ code: 'ca-mismatch' });
  await expect(other({ file: join(root, 'none') })).rejects.toThrow('not there');
});

test.each([
  ['nothing', undefined, 'ca-not-offered'],
  ['something else', 'hello', 'no-authority'],
  ['something large', 'x'.repeat(100_000), 'ca-not-offered'],
])('a registry that offers %s is told', async (_, content, code) => {
  offered = content;
  await expect(other({}, true)).rejects.toMatchObject({ code });
  offered = ca.certificate;
});

test('a registry that is away can’t be asked', async () => {
  const away = other({ host: '127.0.0.2' }, true);
  await expect(away).rejects.toMatchObject({ code: 'ca-not-offered' });
});

const own = async (values: Record<string, string>, file?: string) => {
  const settings = await loadSettings(paths(root), values);
  return ownRegistry({ paths: paths(root), settings, clock: systemClock, certificate: undefined }, file);
};

test('this checkout’s own has its CA once init-tls has run', async () => {
  await expect(own({ DOMAIN: 'r.lan' })).rejects.toMatchObject({ code: 'not-set-up' });
  await mkdir(join(root, 'var/ca'), { recursive: true });
  await writeFile(join(root, 'var/ca/ca.crt'), ca.certificate);
  const found = await own({ DOMAIN: 'r.lan', EXTRA_DOMAINS: '10.0.0.1', MIRROR_OF: 'docker.io' });
  expect(found).toMatchObject({
    registry: {
      authorities: ['r.lan', '10.0.0.1', 'r.lan:5443', '10.0.0.1:5443'],
      names: ['r.lan', '10.0.0.1'],
    },
  });
  await expect(own({ DOMAIN: 'r.lan' }, ca.trust)).rejects.toThrow('a CA of its own');
});

test('a public CA, and plain HTTP, leave nothing to trust', async () => {
  expect(await own({ DOMAIN: 'r.example.com', EMAIL: 'a@example.com' })).toMatchObject({ kind: 'nothing' });
  expect(await own({ DOMAIN: 'r.lan', TLS_ISSUER: 'none' })).toMatchObject({ kind: 'nothing' });
});

test('a mirror by a name of its own is trusted by that', async () => {
  const values = { DOMAIN: 'r.lan', MIRROR_OF: 'docker.io', MIRROR_DOMAIN: 'hub.lan', HTTPS_PORT: '8443' };
  expect(namesOf(await loadSettings(paths(root), values))).toEqual({
    authorities: ['r.lan:8443', 'hub.lan:8443'],
    names: ['r.lan', 'hub.lan'],
  });
});
