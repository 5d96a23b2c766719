import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BUILT } from '../../src/images/catalog.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, type InitResult } from '../support/checkout.ts';
import { diagnose } from '../support/doctor.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { makeTestCa } from '../support/test-ca.ts';

// TLS_ISSUER=none behind an nginx that somebody else has set up, well or badly.

const SOON = { timeout: 20_000, interval: 50 };
const WELL = 'client_max_body_size 0; proxy_request_buffering off;';
const NGINX = /nginx\/1\.\d+\.\d+/;

let checkout: Checkout;
let calls: RegistryCalls;
let front: string;
let folder: string;
let made: InitResult;

beforeAll(async () => {
  await ensureBuilt('nginx');
  checkout = await Checkout.make({ TLS_ISSUER: 'none', BEHIND_PROXY: 'true' });
  calls = new RegistryCalls(checkout);
  front = `${checkout.project}-front`;
  folder = join(checkout.root, 'var/test/front');
  await mkdir(folder, { recursive: true });
  await (await makeTestCa(join(folder, 'ca'))).issue(folder, ['localhost']);
  await writeFile(join(folder, 'nginx.conf'), frontConf('well', WELL));
  const place = ['--detach', '--name', front, '--network', 'host', '--volume', `${folder}:/front:ro`];
  const nginx = ['--entrypoint', 'nginx', BUILT.nginx, '-c', '/front/nginx.conf', '-g', 'daemon off;'];
  await execa('docker', ['run', ...place, ...nginx]);
  made = await checkout.init();
});

afterAll(async () => {
  await execa('docker', ['rm', '--force', front]);
  await checkout.dispose();
});

/** Gives the front other settings, and waits until they are in force. */
async function setFront(name: string, settings: string): Promise<void> {
  await writeFile(join(folder, 'nginx.conf'), frontConf(name, settings));
  await execa('docker', ['exec', front, 'nginx', '-c', '/front/nginx.conf', '-s', 'reload']);
  const named = async () => (await calls.ask('GET', '/v2/')).headers['x-front'];
  await vi.waitFor(async () => expect(await named()).toBe(name), SOON);
}

test('one that is set up well is named, and nothing is broken', async () => {
  const found = await diagnose(checkout);
  expect(found.check('login').detail).toMatch(NGINX);
  expect(found.check('location')).toMatchObject({ verdict: 'fine', detail: 'relative' });
  for (const name of ['push', 'chunks', 'slow-push', 'pull', 'delete'])
    expect([name, found.check(name).verdict]).toEqual([name, 'fine']);
  expect(found.exitCode).toBe(0);
});

test('its certificate is looked at: this one is by a CA that nobody knows', async () => {
  const served = (await diagnose(checkout, ['--only', 'served'])).check('served');
  expect(served).toMatchObject({ verdict: 'warning', fix: expect.stringMatching(/the proxy in front/) });
  expect(served.detail).toMatch(/^localhost at \S+: clients refuse it/);
});

test('one with a limit for bodies is named by its Server header, with the setting to change', async () => {
  await setFront('limited', 'client_max_body_size 50m; proxy_request_buffering off;');
  const push = (await diagnose(checkout, ['--only', 'push'])).check('push');
  expect(push.verdict).toBe('broken');
  expect(push.detail).toMatch(
    /^PATCH was answered with 413 .*by a hop in front, nginx\/1\.\d+\.\d+; Moorage’s own nginx takes it$/,
  );
  expect(push.fix).toBe('There, in its server block: client_max_body_size 0;');
});

test('the same is found from another machine, by what it calls itself', async () => {
  const { name = '', password = '' } = made.firstUser ?? {};
  const at = ['--at', `localhost:${checkout.env.HTTPS_PORT}`, '--ca', join(folder, 'ca/ca.pem')];
  const login = ['--user', name, '--password-stdin', '--only', 'push'];
  const found = await diagnose(checkout, [...at, ...login], {}, password);
  expect(found.check('login').detail).toMatch(NGINX);
  expect(found.check('push')).toMatchObject({
    verdict: 'broken',
    detail: expect.stringMatching(
      /^PATCH was answered with 413 .*through a hop in front, nginx\/1\.\d+\.\d+$/,
    ),
    fix: 'There, in its server block: client_max_body_size 0;',
  });
});

test('one that holds whole layers back is found by what has arrived meanwhile', async () => {
  await setFront('buffering', 'client_max_body_size 0;');
  const slow = (await diagnose(checkout, ['--only', 'slow-push'])).check('slow-push');
  expect(slow).toMatchObject({
    verdict: 'warning',
    fix: expect.stringMatching(/proxy_request_buffering off/),
  });
  expect(slow.detail).toMatch(NGINX);
});

test('one that does not wait is found by a push with a pause', async () => {
  await setFront('impatient', `${WELL} client_body_timeout 2s;`);
  const slow = (await diagnose(checkout, ['--only', 'slow-push'])).check('slow-push');
  expect(slow).toMatchObject({ verdict: 'broken', fix: expect.stringMatching(/client_body_timeout 900s/) });
  expect(slow.detail).toMatch(NGINX);
});

test.each([
  ['port', 'https://localhost'],
  ['scheme', 'http://localhost:$server_port'],
  ['host', 'https://registry.internal:$server_port'],
])('one that leads uploads on with a wrong %s', async (what, origin) => {
  await setFront(what, `${WELL} proxy_redirect ~^(/.*)$ ${origin}$1;`);
  const location = (await diagnose(checkout, ['--only', 'location'])).check('location');
  expect(location.verdict).toBe('broken');
  expect(location.detail).toContain(`the ${what} is wrong, by a hop in front, nginx/`);
});

test('one that loses the Host header', async () => {
  await setFront('nameless', `${WELL} proxy_set_header Host somewhere.else;`);
  const login = (await diagnose(checkout, ['--only', 'login'])).check('login');
  expect(login).toMatchObject({ verdict: 'broken', fix: expect.stringMatching(/proxy_set_header Host/) });
});

test('one that does not answer, while our own nginx does', async () => {
  await execa('docker', ['stop', '--time', '1', front]);
  const found = await diagnose(checkout, ['--only', 'login', '--only', 'location']);
  expect(found.check('login').fix).toMatch(/^Moorage’s own nginx answers/);
  expect(found.check('location')).toMatchObject({ verdict: 'skipped', detail: 'nobody answers' });
});

function frontConf(name: string, settings: string): string {
  const { HTTP_PORT, HTTPS_PORT } = checkout.env;
  const host = settings.includes('Host ') ? '' : 'proxy_set_header Host $http_host;';
  return `events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:${HTTPS_PORT} ssl;
        ssl_certificate /front/cert.pem;
        ssl_certificate_key /front/key.pem;
        location / {
            proxy_pass http://127.0.0.1:${HTTP_PORT};
            proxy_http_version 1.1;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            add_header X-Front ${name} always;
            ${host}
            ${settings}
        }
    }
}
`;
}
