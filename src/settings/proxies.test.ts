import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { parseTrustedProxies } from './proxies.ts';

test.each([
  ['false', []],
  ['192.0.2.7', ['192.0.2.7']],
  ['192.0.2.0/24, 2001:db8:5::/48,192.0.2.0/24', ['192.0.2.0/24', '2001:db8:5::/48']],
])('BEHIND_PROXY=%s believes %j', (text, hops) => {
  expect(parseTrustedProxies(text)).toEqual(hops);
});

test.each(['false', 'true', '192.0.2.7,2001:db8:5::/48'])(
  'nginx believes the same as everybody else: BEHIND_PROXY=%s',
  (text) => {
    expect(believedByNginx(text)).toEqual(parseTrustedProxies(text));
  },
);

test.each([
  'proxy.example',
  'fe.ed',
  'deadbeef',
  '10.0.0.0/8; return 200',
  '10.0.0.1\nreturn 200;',
  '$remote_addr',
  '*',
  '0.0.0.0/0',
  '::/0',
])('what is no address never reaches nginx’s configuration: %j', (text) => {
  expect(() => believedByNginx(text)).toThrow(/BEHIND_PROXY/);
});

/** The networks in the lines that nginx is given. */
function believedByNginx(text: string): string[] {
  const script = '. ./18-names.envsh; echo "$TRUSTED_HOPS"; echo "$REAL_IP_FROM"';
  const lines = execFileSync('sh', ['-c', script], {
    cwd: join(paths().root, 'nginx/entrypoint.d'),
    env: { DOMAIN: 'localhost', HTTPS_PORT: '443', LISTEN: 'tls', AUTH: 'gate', BEHIND_PROXY: text },
    encoding: 'utf8',
    stdio: 'pipe',
  }).split('\n');
  const [hops = '', from = ''] = lines;
  const networks = [...from.matchAll(/set_real_ip_from (\S+);/g)].map(([, each = '']) => each);
  expect([...hops.matchAll(/(\S+) yes;/g)].map(([, each]) => each)).toEqual(networks);
  return networks;
}
