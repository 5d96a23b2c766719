import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servedFingerprint } from '../../src/certificates/handshake.ts';
import { Checkout, startOf } from '../support/checkout.ts';
import { serveDue } from '../support/due.ts';
import { keepAsking, openTls } from '../support/traffic.ts';

let checkout: Checkout;
let port: number;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.init();
  port = Number(checkout.env.HTTPS_PORT);
});

afterAll(() => checkout.dispose());

test('renew says when it will be due, and does nothing before', async () => {
  const before = await served();
  const { exitCode, stdout } = await checkout.command('renew');
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/valid until .*, renewal due .*; nothing to do/),
  });
  expect(await served()).toBe(before);
});

test('renew --dry-run says what would be done, and does not do it', async () => {
  const due = await serveDue(checkout.root, served);
  const { stdout } = await checkout.command('renew', ['--dry-run']);
  expect(stdout).toMatch(/to be renewed: it is valid until .* and due: renewal due/);
  expect(await served()).toBe(due);
});

test('the renewer renews what is due, without the engine, and no request fails meanwhile', async () => {
  const before = await served();
  const due = await serveDue(checkout.root, served);
  const requests = keepAsking(port);
  await checkout.compose('restart', 'renewer');
  // While nginx follows, a worker of before may still answer.
  await expect.poll(served, { timeout: 60_000, interval: 100 }).not.toBeOneOf([before, due]);
  const { asked, failed } = await requests.stop();
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(10);
  const { stdout } = await checkout.compose('logs', '--no-log-prefix', 'renewer');
  expect(stdout).toMatch(/and due: renewal due/);
});

test('a connection that is open while nginx reloads gets its answer', async () => {
  const socket = await openTls(port);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
  const before = await served();
  expect(await checkout.command('renew', ['--force'])).toMatchObject({ exitCode: 0 });
  expect(await served()).not.toBe(before);
  socket.write('Connection: close\r\n\r\n');
  const answer = await once(socket, 'data');
  expect(String(answer[0])).toContain('HTTP/1.1 200 OK');
  socket.destroy();
});

test('a broken nginx configuration never goes live: exit 1 with its line, the old certificate stays', async () => {
  const broken = join(checkout.root, 'nginx/user.d/broken.conf');
  await writeFile(broken, 'no_such_directive on;\n');
  const before = await served();
  const { exitCode, stderr } = await checkout.command('renew', ['--force']);
  await rm(broken);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/nginx -t fails .*unknown directive "no_such_directive" in .*broken\.conf:1/s);
  expect(await served()).toBe(before);
});

test('settings of one’s own in nginx/user.d are in force', async () => {
  const own = join(checkout.root, 'nginx/user.d/own.conf');
  await writeFile(own, 'add_header X-Own yes always;\n');
  await checkout.compose('exec', 'nginx', 'nginx', '-s', 'reload');
  const header = async () => (await checkout.run('curl', ['-skI', `https://localhost:${port}/`])).stdout;
  await expect.poll(header, { timeout: 10_000, interval: 100 }).toMatch(/x-own: yes/i);
  await rm(own);
});

test('two commands and the daemon at once do not get in each other’s way', async () => {
  await serveDue(checkout.root, served);
  const all = [checkout.command('renew'), checkout.command('renew'), checkout.compose('restart', 'renewer')];
  for (const { exitCode } of await Promise.all(all)) expect(exitCode).toBe(0);
  const { stdout } = await checkout.command('renew');
  expect(stdout).toMatch(/nothing to do/);
});

test('on SIGTERM the renewer ends at once and cleanly', async () => {
  const { stdout: id } = await checkout.compose('ps', '-q', 'renewer');
  await checkout.compose('stop', 'renewer');
  const { stdout } = await checkout.run('docker', ['inspect', '-f', '{{.State.ExitCode}}', id.trim()]);
  expect(stdout).toBe('0');
  expect((await checkout.compose('logs', '--no-log-prefix', '--tail', '1', 'renewer')).stdout).toMatch(
    /stopped$/,
  );
});

test('npm run daemon does the same on the host, and ends on SIGTERM with 0', async () => {
  const daemon = execa('node', startOf('daemon'), {
    cwd: checkout.root,
    env: checkout.env,
  });
  let log = '';
  daemon.stdout.on('data', (text) => {
    log += text;
  });
  await expect.poll(() => log, { timeout: 30_000, interval: 50 }).toMatch(/nothing to do/);
  daemon.kill('SIGTERM');
  expect((await daemon).exitCode).toBe(0);
});

async function served(): Promise<string> {
  const shown = await servedFingerprint({ host: '127.0.0.1', port, servername: 'localhost', timeout: 5_000 });
  return shown.kind === 'shown' ? shown.fingerprint : shown.reason;
}
