import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BUILT } from '../../src/images/catalog.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, type InitResult, loginOf } from '../support/checkout.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { makeTestCa } from '../support/test-ca.ts';

// TLS_ISSUER=none behind a proxy that ends TLS, on a port of its own: here an nginx as people set it up.

const SOON = { timeout: 20_000, interval: 50 };
const ANONYMOUS = 'users: {admin: [admin]}\nanonymous: [pull:public/**]\n';

let checkout: Checkout;
let calls: RegistryCalls;
let proxy: string;
let made: InitResult;
let admin: string;

beforeAll(async () => {
  await ensureBuilt('nginx');
  checkout = await Checkout.make({ TLS_ISSUER: 'none', BEHIND_PROXY: 'true' });
  calls = new RegistryCalls(checkout);
  proxy = `${checkout.project}-proxy`;
  const folder = join(checkout.root, 'var/test/proxy');
  await mkdir(folder, { recursive: true });
  await (await makeTestCa(join(folder, 'ca'))).issue(folder, ['localhost']);
  await writeFile(join(folder, 'nginx.conf'), proxyConf(checkout.env));
  const volumes = ['--volume', `${folder}:/proxy:ro`];
  const place = ['--detach', '--name', proxy, '--network', 'host', ...volumes, '--entrypoint', 'nginx'];
  await execa('docker', ['run', ...place, BUILT.nginx, '-c', '/proxy/nginx.conf', '-g', 'daemon off;']);
  made = await checkout.init();
  admin = loginOf(made);
});

afterAll(async () => {
  await execa('docker', ['rm', '--force', proxy]);
  await checkout.dispose();
});

describe('behind a proxy that ends TLS', () => {
  test('the registry is where clients find the proxy, and is proved through it by Docker', async () => {
    expect(made.url).toBe(`https://localhost:${checkout.env.HTTPS_PORT}`);
    expect(made.steps.find(({ title }) => title === 'Proof')?.summary).toMatch(
      /^pushed and pulled \S+ by docker$/,
    );
  });

  test('an upload is led on to the proxy, scheme and port right', async () => {
    const started = await calls.ask('POST', '/v2/team/app/blobs/uploads/', { as: admin });
    expect(started.status).toBe(202);
    const here = `https://localhost:${checkout.env.HTTPS_PORT}`;
    const location = new URL(String(started.headers.location), here);
    expect(location.origin).toBe(here);
    const cancelled = await calls.ask('DELETE', `${location.pathname}${location.search}`, { as: admin });
    expect(cancelled.status).toBe(204);
  });

  test('/v2 leads to /v2/ without naming nginx’s own port', async () => {
    const { status, headers } = await calls.ask('GET', '/v2');
    expect([status, headers.location]).toEqual([308, '/v2/']);
  });

  test('an anonymous pull is sent for its token to the proxy', async () => {
    await writeFile(join(checkout.root, 'registry/auth/access.yaml'), ANONYMOUS, { mode: 0o600 });
    const challenge = async () => String((await calls.ask('GET', '/v2/')).headers['www-authenticate']);
    await vi.waitUntil(async () => (await challenge()).startsWith('Bearer'), SOON);
    expect(await challenge()).toContain(`realm="https://localhost:${checkout.env.HTTPS_PORT}/v2/token"`);
  });

  test('each run warns of what is readable between the proxy and nginx', async () => {
    const { stdout } = await checkout.command('init-tls', ['--yes']);
    expect(stdout).toMatch(/NONE of our own: between the proxy and nginx passwords and images can be read/);
    expect((await checkout.command('status')).stdout).toMatch(
      /whoever is on the way reads passwords and images/,
    );
  });
});

function proxyConf({ HTTP_PORT, HTTPS_PORT }: Readonly<Record<string, string>>): string {
  return `events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:${HTTPS_PORT} ssl;
        ssl_certificate /proxy/cert.pem;
        ssl_certificate_key /proxy/key.pem;
        client_max_body_size 0;
        location / {
            proxy_pass http://127.0.0.1:${HTTP_PORT};
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
    }
}
`;
}
