import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';

/** What 18-names.envsh gives to nginx's templates. */
function given(env: Record<string, string>): Record<string, string> {
  const names = [
    'SERVER_NAMES',
    'WITHOUT_SNI_OURS',
    'WITHOUT_SNI_STRANGERS',
    'REJECT_STRANGERS',
    'HSTS_HEADER',
  ];
  const script = `. ./18-names.envsh; ${names.map((name) => `echo $${name}`).join('; ')}`;
  const all = { DOMAIN: 'a.example', HTTPS_PORT: '443', LISTEN: 'tls', AUTH: 'gate', BEHIND_PROXY: 'false' };
  const lines = execFileSync('sh', ['-c', script], {
    cwd: join(paths().root, 'nginx/entrypoint.d'),
    env: { ...all, ...env },
    encoding: 'utf8',
  }).split('\n');
  return Object.fromEntries(names.map((name, index) => [name, lines[index] ?? '']));
}

test('names alone: who shakes hands for none of them gets no certificate', () => {
  expect(given({ EXTRA_DOMAINS: 'b.example,1.2.3.4.example' })).toEqual({
    SERVER_NAMES: 'a.example b.example 1.2.3.4.example',
    WITHOUT_SNI_OURS: '',
    WITHOUT_SNI_STRANGERS: 'default_server',
    REJECT_STRANGERS: 'on',
    HSTS_HEADER: '',
  });
});

test.each([
  ['192.0.2.1', 'a.example 192.0.2.1'],
  ['2001:db8::1', 'a.example [2001:db8::1]'],
  ['localhost', 'a.example localhost 127.0.0.1 [::1]'],
])('with an address, which clients can’t shake hands for, it is ours: %s', (extra, all) => {
  expect(given({ EXTRA_DOMAINS: extra })).toMatchObject({
    SERVER_NAMES: all,
    WITHOUT_SNI_OURS: 'default_server',
    WITHOUT_SNI_STRANGERS: '',
    REJECT_STRANGERS: 'on',
  });
});

test('behind a proxy any handshake will do', () => {
  expect(given({ BEHIND_PROXY: '192.0.2.7' })).toMatchObject({
    WITHOUT_SNI_OURS: 'default_server',
    WITHOUT_SNI_STRANGERS: '',
    REJECT_STRANGERS: 'off',
  });
});

test('browsers are bound to HTTPS where init-tls says so', () => {
  expect(given({ HSTS: 'on' }).HSTS_HEADER).toMatch(/^add_header Strict-Transport-Security .*;$/);
  expect(given({ HSTS: 'x; return 200' }).HSTS_HEADER).toBe('');
});
