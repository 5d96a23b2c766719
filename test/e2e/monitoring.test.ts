import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readCertificate } from '../../src/certificates/certificate.ts';
import { BUILT } from '../../src/images/catalog.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import { Secret } from '../../src/secret.ts';
import { writeAtomically } from '../../src/system/files.ts';
import { hashPassword } from '../../src/users/password.ts';
import { freePort } from '../support/checkout.ts';
import { documentedMetrics } from '../support/documented-metrics.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { Prometheus } from '../support/prometheus.ts';

const ACCESS = `
users:
  admin: [admin]
  ci: [push:team/**]
`;
const SOON = { timeout: 60_000, interval: 500 };
const PULLS = 7;

let stack: GuardedStack;
let prometheus: Prometheus;

beforeAll(async () => {
  const PROMETHEUS_PORT = String(await freePort());
  stack = await GuardedStack.open(ACCESS, ['ci'], { MONITORING: 'true', PROMETHEUS_PORT });
  prometheus = new Prometheus(PROMETHEUS_PORT);
});

afterAll(async () => {
  const { checkout } = stack;
  await checkout.run('docker', ['compose', '--profile', 'monitoring', 'down', '--volumes', '--timeout', '2']);
  await checkout.dispose();
});

/** What the scrape address says now, asked from within. */
async function scrape(): Promise<string> {
  const script = "process.stdout.write(await (await fetch('http://exporter:9464/metrics')).text())";
  const node = ['node', '--input-type=module', '--eval', script];
  const { exitCode, stdout, stderr } = await stack.checkout.compose('exec', '-T', 'exporter', ...node);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return `${stdout}\n`;
}

async function idOf(part: string): Promise<string> {
  return (await stack.checkout.compose('ps', '--all', '--quiet', part)).stdout.trim();
}

test('Prometheus sees the exporter, has its rules, and nothing is wrong', async () => {
  expect(await prometheus.targets()).toEqual([{ health: 'up', lastError: '' }]);
  const rules = await prometheus.rules();
  expect(rules.length).toBeGreaterThan(15);
  const times = 'moorage_part_metrics_timestamp_seconds';
  await prometheus.until(`count(${times}{part!="renewer"} > time() - 60)`, (count) => count === 3);
  await prometheus.until(`${times}{part="renewer"} > time() - 1800`, (at) => at !== undefined);
  await prometheus.until('sum(moorage_part_metrics_left_out_lines)', (lines) => lines === 0);
  await vi.waitFor(async () => {
    const healths = (await prometheus.rules()).map(({ health }) => health);
    expect(healths).toEqual(rules.map(() => 'ok'));
  }, SOON);
  expect((await prometheus.alerts()).filter(({ state }) => state === 'firing')).toEqual([]);
});

test('what people do, and what does not let them, is counted', async () => {
  const as = stack.login('ci');
  const { digest } = await stack.calls.pushImage('team/app', 'v1', as);
  const manifest = `/v2/team/app/manifests/${digest}`;
  const headers = { accept: MANIFEST_TYPE };
  const { text: body } = await stack.calls.ask('GET', manifest, { as, headers });
  const blob = `/v2/team/app/blobs/${JSON.parse(body).config.digest}`;
  for (let pull = 0; pull < PULLS; pull += 1) {
    expect(await stack.calls.ask('GET', manifest, { as, headers })).toMatchObject({ status: 200 });
    expect(await stack.calls.ask('GET', blob, { as })).toMatchObject({ status: 200 });
  }
  expect((await stack.calls.ask('GET', '/v2/other/app/tags/list', { as })).status).toBe(403);
  const wrong = (await guessUntilThrottled()).filter((status) => status === 401).length;
  expect(wrong).toBeGreaterThan(0);

  const atLeast = (least: number) => (value: number | undefined) => (value ?? 0) >= least;
  await prometheus.until('moorage_gate_throttled_users', (users) => users === 1);
  await prometheus.until('moorage_gate_throttled_addresses', (addresses) => addresses === 0);
  await prometheus.until('moorage_gate_audit_events_total{event="login_failed"}', atLeast(wrong));
  await prometheus.until('moorage_gate_requests_total{action="pull",verdict="denied"}', atLeast(1));
  await prometheus.until('moorage_gate_requests_total{action="pull",verdict="allowed"}', atLeast(2 * PULLS));
  await prometheus.until('moorage_gate_requests_total{action="push",verdict="allowed"}', atLeast(3));
  await prometheus.until('moorage_gate_manifests_served_total', atLeast(PULLS));
  await prometheus.until('moorage_gate_blobs_handed_out_total', atLeast(PULLS));
  await prometheus.until('sum(registry_http_requests_total{handler="manifest",method="put"})', atLeast(1));
  await prometheus.until('nginx_http_requests_total', atLeast(2 * PULLS));
});

/** Passwords that take no time to be checked: on a busy machine guesses would be forgiven as fast as they are made. */
async function guessUntilThrottled(): Promise<readonly number[]> {
  const cheap = await hashPassword(new Secret('cheap'), 4);
  await writeAtomically(join(stack.checkout.root, 'registry/auth/registry.password'), `ci:${cheap}\n`, 0o600);
  const logIn = async (password: string) =>
    (await stack.calls.ask('GET', '/v2/', { as: `ci:${password}` })).status;
  expect(await logIn('cheap')).toBe(200);
  const statuses: number[] = [];
  for (let turn = 0; !statuses.includes(429) && turn < 20; turn += 1)
    statuses.push(...(await Promise.all(['a', 'b', 'c'].map((letter) => logIn(`guess-${turn}-${letter}`)))));
  expect(statuses).toContain(429);
  return statuses;
}

test('the certificate and the disk are what they are', async () => {
  const pem = await readFile(join(stack.checkout.root, 'var/tls/current/fullchain.pem'), 'utf8');
  const { notAfter } = readCertificate(pem);
  for (const each of ['served_not_after', 'not_after']) {
    const value = await prometheus.value(`moorage_certificate_${each}_timestamp_seconds`);
    expect(value).toBe(notAfter.getTime() / 1000);
  }
  expect(await prometheus.value('moorage_certificate_info{issuer="local"}')).toBe(1);
  expect(await prometheus.value('moorage_renewal_consecutive_failures')).toBe(0);
  expect(await prometheus.value('moorage_disk_size_bytes > moorage_disk_free_bytes')).toBeGreaterThan(0);
  expect(await prometheus.value('moorage_disk_reserve_bytes')).toBe(2 * 1024 ** 3);
});

test('all that is documented is there, promtool has nothing to say about it, and it names nobody', async () => {
  const scraped = await scrape();
  const own = scraped.split('\n').filter((line) => /^(# (HELP|TYPE) )?moorage_/.test(line));
  const check = [
    'run',
    '--rm',
    '--interactive',
    '--entrypoint',
    'promtool',
    BUILT.prometheus,
    'check',
    'metrics',
  ];
  const checked = await stack.checkout.run('docker', check, { input: `${own.join('\n')}\n` });
  expect(checked).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  const families = [...scraped.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  expect(new Set(families).size).toBe(families.length);
  const documented = (await documentedMetrics()).filter((name) => !/_(command|backup)_/.test(name));
  expect(documented.filter((name) => !families.includes(name))).toEqual([]);
  expect(scraped).not.toMatch(/team|\bci\b|admin|127\.0\.0\.1|guess/);
});

test('from outside there is neither', async () => {
  for (const path of ['/metrics', '/stub_status', '/healthz', '/v2/metrics', '/%73tub_status'])
    for (const tls of [true, false])
      for (const host of [stack.authority, 'exporter:9464', '127.0.0.1:8080', 'nginx'])
        expect(await outside(tls, path, host)).not.toMatch(/moorage_|nginx_|Active connections|^ok/m);
  const ports = await stack.checkout.compose('ps', '--format', '{{.Service}} {{.Ports}}');
  const published = ports.stdout.split('\n').filter((line) => line.includes('->'));
  expect(published.map((line) => line.split(' ')[0]).sort()).toEqual(['nginx', 'prometheus']);
  expect(published.find((line) => line.startsWith('prometheus'))).toMatch(/ 127\.0\.0\.1:\d+->9090\/tcp$/);
  // Not even from the network that nginx is in.
  const script =
    "await fetch('http://nginx:8080/stub_status').then(() => process.exit(7), () => process.exit(0))";
  const node = ['node', '--input-type=module', '--eval', script];
  expect(await stack.checkout.compose('exec', '-T', 'exporter', ...node)).toMatchObject({ exitCode: 0 });
});

function outside(tls: boolean, path: string, host: string): Promise<string> {
  const { HTTP_PORT, HTTPS_PORT } = stack.checkout.env;
  const port = tls ? HTTPS_PORT : HTTP_PORT;
  const at = { host: '127.0.0.1', port, path, headers: { host }, servername: 'localhost', agent: false };
  return new Promise((resolve, reject) => {
    const asked = tls ? request({ ...at, rejectUnauthorized: false }) : plainRequest(at);
    asked.once('error', reject);
    asked.once('response', (response) => text(response).then(resolve, reject));
    asked.end();
  });
}

test('when nginx is down an alert says so, and the registry goes on', async () => {
  await stack.checkout.compose('stop', '--timeout', '1', 'nginx');
  await expect
    .poll(() => prometheus.alerts(), SOON)
    .toContainEqual({ name: 'MoorageHandshakeFails', state: 'pending' });
  await stack.checkout.compose('start', 'nginx');
  await prometheus.until('moorage_certificate_handshake_success', (success) => success === 1);
});

test('switched off again both are gone, and nobody else notices', async () => {
  const others = ['nginx', 'registry', 'gate', 'renewer'];
  const before = await Promise.all(others.map(idOf));
  const again = await stack.checkout.init();
  expect(again.steps.filter(({ changed }) => changed)).toEqual([]);
  expect(again.steps.find(({ title }) => title === 'Monitoring')?.summary).toMatch(/^Prometheus at http/);
  await stack.checkout.init({ MONITORING: 'false' });
  expect(await Promise.all(others.map(idOf))).toEqual(before);
  const all = await stack.checkout.run('docker', [
    ...['ps', '--all', '--format', '{{.Label "com.docker.compose.service"}}'],
    ...['--filter', `label=com.docker.compose.project=${stack.checkout.project}`],
  ]);
  expect(all.stdout.split('\n')).not.toContain('prometheus');
  expect(all.stdout.split('\n')).not.toContain('exporter');
  expect(await stack.checkout.networks()).toEqual(['frontend']);
});
