import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { RemoteHost } from '../remote/host.ts';
import type { Finished } from '../system/processes.ts';
import { installThere } from './install-there.ts';

const RESULT = {
  url: 'https://r.example',
  changed: true,
  firstUser: { name: 'admin', password: 'geheim' },
  certificate: { issuerName: 'CA', notAfter: '2027-01-01T00:00:00.000Z', issuer: 'local', more: 1 },
  authority: '/srv/moorage/var/ca/ca.crt',
  steps: [{ title: 'Stack', summary: 'started', changed: true, seconds: 1 }],
};

/** Ends each run of a command as told, one after the other. */
function host(...ends: Partial<Finished>[]): RemoteHost & { readonly ran: string[][] } {
  const ran: string[][] = [];
  return {
    name: 'web1',
    address: '192.0.2.7',
    ran,
    run: async (command, { onLine } = {}) => {
      ran.push([...command]);
      const end = { exitCode: 0, stdout: '', stderr: '', ...ends[ran.length - 1] };
      for (const line of `${end.stderr}\n${end.stdout}`.split('\n')) onLine?.(line);
      return end;
    },
    rsync: () => Promise.reject(new Error('not here')),
    close: async () => undefined,
  };
}

async function install(far: RemoteHost) {
  const told: string[] = [];
  const parts = { report: () => undefined, tell: (line: string) => told.push(line) };
  const done = await installThere(far, '/srv/moorage', new FakeClock('2026-11-21T00:00:00Z'), parts);
  return { ...done, told };
}

test('its story is told, its result understood, and the password shows itself to nobody who does not ask', async () => {
  const far = host({
    stdout: JSON.stringify(RESULT, null, 2),
    stderr: '· Images  apt\n✓ Stack  started\nWarning: x',
  });
  const { value, changed, told } = await install(far);
  expect(told).toEqual(['✓ Stack  started']);
  expect(changed).toBe(true);
  expect(value.firstUser?.password.reveal()).toBe('geheim');
  expect(JSON.stringify(value)).not.toContain('geheim');
  expect(far.ran[0]).toEqual(expect.arrayContaining(['init-tls', '--yes', '--json', '--keep-password']));
});

test('what failed there is told with its code, message and remedy', async () => {
  const error = { code: 'port-taken', message: 'Port 443 is taken.', remedy: 'Stop it.' };
  await expect(install(host({ exitCode: 1, stdout: JSON.stringify({ error }) }))).rejects.toMatchObject({
    code: 'port-taken',
    message: 'init-tls on web1: Port 443 is taken.',
    remedy: 'There: Stop it.',
  });
});

test('what is refused there as wrong input has failed here, where much was changed by then', async () => {
  const error = { code: 'wrong-input', problems: [{ input: 'DOMAIN', message: 'is none' }] };
  await expect(install(host({ exitCode: 2, stdout: JSON.stringify({ error }) }))).rejects.toMatchObject({
    code: 'wrong-input',
    message: 'init-tls on web1: DOMAIN: is none',
    remedy: expect.stringContaining('run this again'),
  });
});

test('without a result its last words have to do', async () => {
  await expect(install(host({ exitCode: 127, stderr: 'sh: npm: not found' }))).rejects.toMatchObject({
    code: 'init-tls-failed',
    message: expect.stringContaining('npm: not found'),
  });
});

test('a run that is still at work there is waited for', async () => {
  const error = { code: 'locked', message: 'npm run init-tls is running.', remedy: 'Wait.' };
  const locked = { exitCode: 1, stdout: JSON.stringify({ error }) };
  const far = host(locked, locked, { stdout: JSON.stringify({ ...RESULT, changed: false }) });
  expect(await install(far)).toMatchObject({ changed: false });
  expect(far.ran).toHaveLength(3);
});
