import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { servedFingerprint } from '../../src/certificates/handshake.ts';
import { Checkout } from '../support/checkout.ts';
import { serveDue } from '../support/due.ts';

let checkout: Checkout;
let port: number;
let broken: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.init();
  port = Number(checkout.env.HTTPS_PORT);
  broken = join(checkout.root, 'nginx/user.d/broken.conf');
});

beforeEach(() => checkout.compose('stop', 'renewer'));

afterAll(() => checkout.dispose());

describe('fault 23: nginx itself', () => {
  test('stopped while a renewal is due: told, and the certificate is served as soon as nginx is back', async () => {
    const due = await serveDue(checkout.root, served);
    await checkout.compose('stop', 'nginx');
    const { exitCode, stderr } = await checkout.command('renew');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('nginx does not run'),
    });
    await checkout.compose('start', 'nginx');
    expect(await checkout.command('renew')).toMatchObject({ exitCode: 0 });
    expect(await served()).not.toBe(due);
    expect(await checkout.command('renew')).toMatchObject({
      stdout: expect.stringContaining('nothing to do'),
    });
  });

  test('recreated: it comes up with the certificate that is current', async () => {
    const before = await served();
    await checkout.compose('up', '--detach', '--force-recreate', '--no-deps', 'nginx');
    await expect.poll(served, { timeout: 30_000, interval: 100 }).toBe(before);
    expect(await checkout.command('renew', ['--force'])).toMatchObject({ exitCode: 0 });
    expect(await served()).not.toBe(before);
  });

  test('killed in the middle of its work: it is started again and serves', async () => {
    const before = await served();
    await checkout.compose('kill', '-s', 'KILL', 'nginx');
    await checkout.compose('up', '--detach', '--no-deps', 'nginx');
    await expect.poll(served, { timeout: 30_000, interval: 100 }).toBe(before);
  });

  test('a configuration that is broken when the renewer renews: not loaded, told, loaded once it is mended', async () => {
    const due = await serveDue(checkout.root, served);
    await writeFile(broken, 'no_such_directive on;\n');
    await checkout.compose('start', 'renewer');
    await expect
      .poll(nginxLog, { timeout: 60_000, interval: 200 })
      .toMatch(/NOT loaded: the configuration is broken/);
    expect(await served()).toBe(due);
    await rm(broken);
    await expect.poll(served, { timeout: 120_000, interval: 200 }).not.toBe(due);
    expect(await nginxLog()).toMatch(/unknown directive "no_such_directive"/);
  });

  test('all certificates deleted: new ones are served, though their folder has an old name', async () => {
    await checkout.compose('start', 'renewer');
    const before = await served();
    await checkout.run('sh', ['-c', 'rm -r var/tls/*']);
    await checkout.compose('restart', 'renewer');
    await expect.poll(served, { timeout: 60_000, interval: 200 }).not.toBe(before);
    const { exitCode, stdout } = await checkout.command('renew');
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing to do'),
    });
  });
});

async function nginxLog(): Promise<string> {
  const { stdout, stderr } = await checkout.compose('logs', '--no-log-prefix', 'nginx');
  return `${stdout}\n${stderr}`;
}

async function served(): Promise<string> {
  const shown = await servedFingerprint({ host: '127.0.0.1', port, servername: 'localhost', timeout: 5_000 });
  return shown.kind === 'shown' ? shown.fingerprint : shown.reason;
}
