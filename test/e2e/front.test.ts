import { type ConnectionOptions, connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servedFingerprint } from '../../src/certificates/handshake.ts';
import { Checkout } from '../support/checkout.ts';

const NAME = 'registry.test';
const OTHER = 'other.test';
const STRANGE = 'strange.example';
const SOON = { timeout: 60_000, interval: 100 };

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, EXTRA_DOMAINS: OTHER });
  await checkout.init();
});

afterAll(() => checkout.dispose());

/** Asks by TLS for `sni`, then for `host`. */
async function ask(sni: string, host: string, ...args: string[]): Promise<{ status: string; body: string }> {
  const port = checkout.env.HTTPS_PORT;
  const to = ['--connect-to', `${sni}:${port}:127.0.0.1:${port}`, '-H', `Host: ${host}`];
  return curl(...to, ...args, `https://${sni}:${port}/`);
}

async function curl(...args: string[]): Promise<{ status: string; body: string }> {
  const { stdout } = await checkout.run('curl', ['-sk', '-w', '\n%{http_code}', ...args]);
  const cut = stdout.lastIndexOf('\n');
  return { status: stdout.slice(cut + 1), body: stdout.slice(0, cut) };
}

const handshake = (servername: string) =>
  servedFingerprint({
    host: '127.0.0.1',
    port: Number(checkout.env.HTTPS_PORT),
    servername,
    timeout: 10_000,
  });

/** Starts nginx anew with other settings, as plain Compose does, and waits until it answers. */
async function restart(env: Record<string, string>): Promise<void> {
  Object.assign(checkout.env, env);
  expect(await checkout.compose('up', '-d', '--no-deps', 'nginx')).toMatchObject({ exitCode: 0 });
  await expect.poll(async () => (await ask(NAME, NAME)).status, SOON).toBe('200');
}

describe('names', () => {
  test.each([NAME, OTHER, `${NAME}:8443`, `${NAME.toUpperCase()}.`])('%s is ours', async (host) => {
    expect(await ask(NAME, host)).toMatchObject({ status: '200' });
  });

  test.each([STRANGE, `sub.${NAME}`, '127.0.0.1'])('%s is shown no certificate', async (name) => {
    expect(await handshake(NAME)).toMatchObject({ kind: 'shown' });
    expect(await handshake(name)).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/unrecognized name/),
    });
  });

  test('a request for a strange name is told so, whatever its connection was made for', async () => {
    for (const how of ['--http1.1', '--http2']) {
      const { status, body } = await ask(NAME, STRANGE, how);
      expect(status).toBe('421');
      expect(JSON.parse(body).errors).toEqual([
        { code: 'MISDIRECTED_REQUEST', message: expect.stringContaining('Host') },
      ]);
    }
  });

  test('beside the API and a word about it there is no page', async () => {
    const url = `https://${NAME}:${checkout.env.HTTPS_PORT}`;
    const to = ['--resolve', `${NAME}:${checkout.env.HTTPS_PORT}:127.0.0.1`];
    expect((await curl(...to, `${url}/index.html`)).status).toBe('404');
    expect((await curl(...to, `${url}/v2/`)).status).toBe('401');
  });

  test('plain HTTP leads to ours by our names alone; a challenge is looked for under any', async () => {
    const plain = async (host: string, path = '/') =>
      (await curl('-H', `Host: ${host}`, `http://127.0.0.1:${checkout.env.HTTP_PORT}${path}`)).status;
    expect(await plain(NAME)).toBe('308');
    expect(await plain(STRANGE)).toBe('421');
    expect(await plain(STRANGE, '/.well-known/acme-challenge/x')).toBe('404');
  });

  test('a proxy in front may shake hands for any name, or for none, and has to pass on ours', async () => {
    await restart({ BEHIND_PROXY: 'true' });
    for (const sni of [STRANGE, '127.0.0.1']) {
      expect(await ask(sni, NAME)).toMatchObject({ status: '200' });
      expect(await ask(sni, STRANGE)).toMatchObject({ status: '421' });
    }
    await restart({ BEHIND_PROXY: 'false' });
  });

  test('an address as the name: a handshake without a name, none for a strange one', async () => {
    await restart({ EXTRA_DOMAINS: '127.0.0.1' });
    expect(await ask('127.0.0.1', '127.0.0.1')).toMatchObject({ status: '200' });
    expect(await ask('127.0.0.1', '192.0.2.1')).toMatchObject({ status: '421' });
    expect(await handshake(STRANGE)).toMatchObject({ kind: 'failed' });
    await restart({ EXTRA_DOMAINS: OTHER });
  });
});

describe('TLS', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: a session is taken up again', async (version) => {
    const first = await session({ minVersion: version, maxVersion: version });
    expect(first.reused).toBe(false);
    const second = await session({ minVersion: version, maxVersion: version, session: first.session });
    expect(second).toMatchObject({ reused: true, version });
  });

  test('nothing older than 1.2', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(session(old)).rejects.toThrow(/protocol version/);
  });

  test('browsers are told to come back by HTTPS where the certificate is for everybody', async () => {
    const head = async () => (await ask(NAME, NAME, '-I')).body;
    expect(await head()).not.toMatch(/strict-transport-security/i);
    await restart({ HSTS: 'on' });
    expect(await head()).toMatch(/^strict-transport-security: max-age=31536000\r?$/im);
  });

  test('no version of the server', async () => {
    expect((await ask(NAME, STRANGE, '-i')).body).toMatch(/^server: nginx\r?$/im);
  });
});

describe('the container', () => {
  test('has a root that can’t be written to, and few rights', async () => {
    const { stdout: id } = await checkout.compose('ps', '-q', 'nginx');
    const format = '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}}';
    const { stdout } = await checkout.run('docker', ['inspect', '-f', format, id.trim()]);
    expect(stdout).toBe('true [ALL] [CHOWN DAC_OVERRIDE NET_BIND_SERVICE SETGID SETUID]');
  });

  test('listens on IPv6 where there is any', async () => {
    const listening =
      'cat /proc/net/if_inet6 >/dev/null 2>&1 || exit 0; grep -c ":01BB .* 0A " /proc/net/tcp6';
    const { exitCode } = await checkout.compose('exec', '-T', 'nginx', 'sh', '-c', listening);
    expect(exitCode).toBe(0);
  });
});

interface Session {
  readonly session: Buffer;
  readonly reused: boolean;
  readonly version: string | null;
}

/** Shakes hands, asks for the first page, and returns the session that the server gave. */
function session(options: ConnectionOptions): Promise<Session> {
  return new Promise((resolve, reject) => {
    const port = Number(checkout.env.HTTPS_PORT);
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: NAME,
      rejectUnauthorized: false,
      ...options,
    });
    let given = options.session;
    socket.on('session', (ticket) => {
      given = ticket;
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const { reused, version } = { reused: socket.isSessionReused(), version: socket.getProtocol() };
      socket.resume().once('close', () => {
        if (given === undefined) reject(new Error('no session was given'));
        else resolve({ session: given, reused, version });
      });
      socket.end(`GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`);
    });
  });
}
