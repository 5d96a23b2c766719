import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { type ConfigTest, type Deployment, deploy, serveCurrent, type WebServer } from './deploy.ts';
import type { Issued } from './issuer.ts';
import { CertificateStore } from './store.ts';
import { makeLeaf } from './x509.ts';

const clock = new FakeClock('2027-01-01T00:00:00Z');
const names = ['r.example'];
const silent = () => undefined;

/** Serves what was current at its last reload, unless it is told to misbehave. */
class FakeWebServer implements WebServer {
  reloads = 0;
  answers: ConfigTest[] = [];
  deaf = false;
  #serves: string | undefined;
  readonly #store: CertificateStore;

  constructor(store: CertificateStore) {
    this.#store = store;
  }

  async test(): Promise<ConfigTest> {
    return this.answers.shift() ?? { ok: true };
  }

  async reload(): Promise<void> {
    this.reloads += 1;
    if (this.deaf) return;
    const current = await this.#store.current();
    if (current.kind === 'present') this.#serves = current.generation.certificate.fingerprint;
  }

  async served(): Promise<string | undefined> {
    return this.#serves;
  }
}

let store: CertificateStore;
let webServer: FakeWebServer;
let deployment: Deployment;

beforeEach(async () => {
  store = new CertificateStore(await mkdtemp(join(tmpdir(), 'moorage-deploy-')), clock);
  webServer = new FakeWebServer(store);
  deployment = { store, webServer, clock, names };
  await deploy(deployment, await issued(), silent);
});

async function issued(forNames = names): Promise<Issued> {
  const { privateKey, certificate } = await makeLeaf(forNames, clock.now(), 90);
  return { privateKey, chain: certificate, origin: { issuer: 'local' } };
}

async function currentName(): Promise<string> {
  const current = await store.current();
  return current.kind === 'present' ? current.generation.name : current.kind;
}

test('a fit certificate is stored, loaded and seen in a handshake', async () => {
  const generation = await deploy(deployment, await issued(), silent);
  expect(generation.name).toBe('generation-2');
  expect(await webServer.served()).toBe(generation.certificate.fingerprint);
});

test('an unfit certificate is not even stored', async () => {
  await expect(deploy(deployment, await issued(['other.example']), silent)).rejects.toMatchObject({
    code: 'certificate-unfit',
  });
  expect(await currentName()).toBe('generation-1');
  expect(webServer.reloads).toBe(1);
});

test('a configuration that breaks with the new certificate goes back', async () => {
  webServer.answers = [{ ok: false, output: 'key values mismatch' }];
  await expect(deploy(deployment, await issued(), silent)).rejects.toMatchObject({ code: 'config-broken' });
  expect(await currentName()).toBe('generation-1');
});

test('a certificate that nginx never shows goes back after three tries of ten seconds', async () => {
  webServer.deaf = true;
  const reloads = webServer.reloads;
  await expect(deploy(deployment, await issued(), silent)).rejects.toMatchObject({ code: 'not-served' });
  expect(webServer.reloads - reloads).toBe(4); // three for the new one, one to go back
  expect(await currentName()).toBe('generation-1');
});

test('a certificate on the disk that nginx does not serve is loaded, and not issued again', async () => {
  const generation = await store.add(await issued());
  await store.activate(generation); // killed here
  expect(await serveCurrent(deployment, generation, silent)).toBe(true);
  expect(await webServer.served()).toBe(generation.certificate.fingerprint);
  expect(await serveCurrent(deployment, generation, silent)).toBe(false);
});
