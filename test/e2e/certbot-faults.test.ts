import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../src/certificates/certificate.ts';
import { socketOf } from '../../src/engine/address.ts';
import { BUILT } from '../../src/images/catalog.ts';
import { environment } from '../../src/settings/environment.ts';
import { Checkout } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import { makeNetwork, type Pebble } from '../support/pebble.ts';
import { proxySocket } from '../support/socket-proxy.ts';

const NAME = 'registry.moorage.example';
const ENGINE = socketOf(environment().DOCKER_HOST) ?? '';

let checkout: Checkout;
let pebble: Pebble;
let ca: FaultProxy;
/** certbot's folder for the CA. */
let lineage: string;

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'certbot' });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startLocalPebble({ httpPort: Number(checkout.env.HTTP_PORT) });
  ca = await FaultProxy.start(pebble, { host: gateway });
  await checkout.init({ ACME_DIRECTORY: ca.directory, ACME_CA_BUNDLE: ca.trust });
  await checkout.compose('stop', 'renewer');
  lineage = join(
    checkout.root,
    'var/certbot',
    ca.directory.replace('https://', '').replace(/[^A-Za-z0-9.-]+/g, '-'),
  );
});

afterAll(async () => {
  await ca.close();
  await pebble.dispose();
  await checkout.dispose();
});

describe('fault 24: certbot and the engine', () => {
  test('killed while certbot asks: the next run waits for it and takes its certificate, without an order', async () => {
    const issued = await pebble.issued();
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    ca.add({ on: 'finalize', times: 1, act: { kind: 'delay', by: held } });
    const first = renew({ detached: true });
    await expect.poll(() => ca.seen('finalize').length, { timeout: 60_000, interval: 50 }).toBe(1);
    process.kill(-(first.pid ?? 0), 'SIGKILL');
    await first;
    const engine = await proxySocket(join(checkout.root, 'var/waited.sock'), ENGINE);
    const waits = engine.asked(/POST \/containers\/[^/]+\/wait/);
    const second = renew({ env: { DOCKER_HOST: engine.address } });
    await waits;
    go();
    expect(await second).toMatchObject({ exitCode: 0 });
    await engine.close();
    expect(await pebble.issued()).toBe(issued + 1);
    expect(await certbotContainers()).toBe('');
  });

  test('a container of a killed run that ended long ago is taken away', async () => {
    const name = `${checkout.project}-certbot`;
    await execa('docker', ['run', '--name', name, '--entrypoint', 'true', BUILT.certbot]);
    expect(await renew()).toMatchObject({ exitCode: 0 });
    expect(await certbotContainers()).toBe('');
  });

  test('the engine goes away while certbot is waited for: told, and the next run completes', async () => {
    const socket = join(checkout.root, 'var/engine.sock');
    const engine = await proxySocket(socket, ENGINE);
    engine.cutOn(/POST \/containers\/\w+\/start/);
    const before = await fingerprint();
    const { exitCode, stderr } = await renew({ env: { DOCKER_HOST: engine.address } });
    await engine.close();
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/engine|socket/i),
    });
    expect(stderr).not.toContain('please report');
    expect(await fingerprint()).toBe(before);
    expect(await renew()).toMatchObject({ exitCode: 0 });
    expect(await fingerprint()).not.toBe(before);
    expect(await certbotContainers()).toBe('');
  });

  test('an empty renewal configuration, as a full disk leaves it, does not stop a renewal', async () => {
    await mkdir(join(lineage, 'renewal'), { recursive: true });
    await writeFile(join(lineage, 'renewal/registry.conf'), '');
    const before = await fingerprint();
    const { exitCode, stderr } = await renew();
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await fingerprint()).not.toBe(before);
  });
});

function renew(options: { detached?: boolean; env?: Record<string, string> } = {}) {
  return execa('npm', ['run', '--silent', 'renew', '--', '--force'], {
    cwd: checkout.root,
    env: { ...checkout.env, ...options.env },
    detached: options.detached ?? false,
    reject: false,
  });
}

async function certbotContainers(): Promise<string> {
  const filter = `name=${checkout.project}-certbot`;
  return (await checkout.run('docker', ['ps', '--all', '--quiet', '--filter', filter])).stdout;
}

async function fingerprint(): Promise<string> {
  const { stdout } = await checkout.run('cat', ['var/tls/current/fullchain.pem']);
  return readCertificate(stdout).fingerprint;
}
