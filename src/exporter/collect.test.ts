import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { Shown } from '../certificates/handshake.ts';
import { collect } from './collect.ts';

const NOW = '2026-01-01T00:10:00Z';
const STATUS = `Active connections: 3 
server accepts handled requests
 16 15 180 
Reading: 0 Writing: 1 Waiting: 2 
`;

const clock = new FakeClock(NOW);
let folders: { stack: string; state: string };

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'exporter-'));
  folders = { stack: join(root, 'stack'), state: join(root, 'state') };
  await mkdir(folders.stack);
  await mkdir(folders.state);
});

async function wrote(folder: string, name: string, text: string, secondsAgo: number): Promise<void> {
  await writeFile(join(folder, name), text);
  const at = clock.now().getTime() / 1000 - secondsAgo;
  await utimes(join(folder, name), at, at);
}

async function lines(shake?: () => Promise<Shown>): Promise<readonly string[]> {
  return (await collect({ folders, running: ['gate', 'nginx', 'registry'], shake, clock })).split('\n');
}

const ago = (seconds: number) => clock.now().getTime() / 1000 - seconds;

test('what a running part wrote a minute ago is not how things are; what the renewer wrote is', async () => {
  await wrote(folders.stack, 'gate.prom', 'from_gate 1\n', 59);
  await wrote(folders.stack, 'registry.prom', 'from_registry 1\n', 61);
  await wrote(folders.state, 'renewer.prom', 'from_renewer 1\n', 600);
  const all = await lines();
  expect(all).toContain('from_gate 1');
  expect(all).not.toContain('from_registry 1');
  expect(all).toContain('from_renewer 1');
  expect(all).toContain(`moorage_part_metrics_timestamp_seconds{part="registry"} ${ago(61)}`);
  expect(all).toContain(`moorage_part_metrics_timestamp_seconds{part="renewer"} ${ago(600)}`);
});

test('a part that never wrote is told of as one that did so long ago', async () => {
  expect(await lines()).toContain('moorage_part_metrics_timestamp_seconds{part="gate"} 0');
});

test('what a part left behind that is to run no more is nothing', async () => {
  await wrote(folders.stack, 'mirror.prom', 'from_mirror 1\n', 1);
  expect((await lines()).join('\n')).not.toContain('mirror');
});

test('nginx’s status gets the names that others know', async () => {
  await wrote(folders.stack, 'nginx.status', STATUS, 1);
  const all = await lines();
  for (const line of [
    'nginx_connections_active 3',
    'nginx_connections_accepted 16',
    'nginx_connections_handled 15',
    'nginx_http_requests_total 180',
    'nginx_connections_writing 1',
    'nginx_connections_waiting 2',
  ])
    expect(all).toContain(line);
  await wrote(folders.stack, 'nginx.status', '<html>\n', 1);
  expect(await lines()).toContain('moorage_part_metrics_timestamp_seconds{part="nginx"} 0');
});

test('the certificate is the one that a handshake shows; without one it is not there', async () => {
  const notBefore = new Date('2026-01-01T00:00:00Z');
  const notAfter = new Date('2026-04-01T00:00:00Z');
  const shown = await lines(async () => ({ fingerprint: 'AB', notBefore, notAfter }));
  expect(shown).toContain('moorage_certificate_handshake_success 1');
  expect(shown).toContain(
    `moorage_certificate_served_not_after_timestamp_seconds ${notAfter.getTime() / 1000}`,
  );
  const failed = await lines(() => Promise.reject(new Error('refused')));
  expect(failed).toContain('moorage_certificate_handshake_success 0');
  expect(failed.join('\n')).not.toMatch(/^moorage_certificate_served/m);
  expect((await lines(undefined)).join('\n')).not.toMatch(/^moorage_certificate/m);
});

test('other files, folders and half-written ones are nobody’s metrics', async () => {
  await wrote(folders.state, '.gc.prom.0f', 'hidden 1\n', 1);
  await wrote(folders.state, 'README.md', 'readme 1\n', 1);
  await mkdir(join(folders.state, 'folder.prom'));
  expect((await lines()).join('\n')).not.toMatch(/hidden|readme|folder/);
});

test('folders that are not there are no reason to say nothing', async () => {
  folders = { stack: '/nowhere', state: '/nowhere' };
  expect(await lines()).toContain('moorage_part_metrics_timestamp_seconds{part="nginx"} 0');
});
