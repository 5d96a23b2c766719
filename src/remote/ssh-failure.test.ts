import { expect, test } from 'vitest';
import { connectionFailure } from './ssh-failure.ts';

test.each([
  ['ssh: connect to host vps port 22: Connection refused', 'host-unreachable'],
  ['ssh: connect to host vps port 22: Connection timed out', 'host-unreachable'],
  ['ssh: Could not resolve hostname vps: Name or service not known', 'host-unreachable'],
  ['@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.', 'host-key-changed'],
  [
    'No ED25519 host key is known for vps and you have requested strict checking.\nHost key verification failed.',
    'host-key-unknown',
  ],
  ['ada@vps: Permission denied (publickey).', 'login-refused'],
  ['Timeout, server vps not responding.', 'connection-lost'],
])('%j means %s', (stderr, code) => {
  const failure = connectionFailure('ada@vps', { exitCode: 255, stdout: '', stderr });
  expect(failure.code).toBe(code);
  expect(failure.message).toContain('ada@vps');
});

test('of a jump host is told what it says, and not how ssh then ends', () => {
  const closed =
    'kex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r';
  const told = (stderr: string) => connectionFailure('vps', { exitCode: 255, stdout: '', stderr }).message;
  expect(told(`ada@jump: Permission denied (publickey).\r\n${closed}`)).toContain(
    ': ada@jump: Permission denied',
  );
  expect(told(`ssh: connect to host jump port 22: Connection refused\r\n${closed}`)).toContain(
    'host jump port 22',
  );
  expect(told(closed)).toContain('UNKNOWN port 65535');
});

test('how to forget a key is told as ssh tells it, or by the host that was given', () => {
  const changed = '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r';
  const own = '  ssh-keygen -f "/home/ada/.ssh/known_hosts" -R "[192.0.2.7]:2222"\r';
  const remedy = (stderr: string) =>
    connectionFailure('ada@vps:2222', { exitCode: 255, stdout: '', stderr }).remedy;
  expect(remedy(`${changed}\n${own}\nHost key verification failed.`)).toContain(`: ${own.trim()}; then`);
  expect(remedy(changed)).toContain("ssh-keygen -R '[vps]:2222'; then log in once by hand");
});

test('a command that is told has the port where ssh takes it', () => {
  const refused = { exitCode: 255, stdout: '', stderr: 'ada@vps: Permission denied (publickey).' };
  expect(connectionFailure('ada@vps:2222', refused).remedy).toContain('ssh -p 2222 ada@vps true');
  expect(connectionFailure('ada@[2001:db8::1]:22', refused).remedy).toContain(
    'ssh-copy-id -p 22 ada@2001:db8::1',
  );
  expect(connectionFailure('2001:db8::1', refused).remedy).toContain('ssh 2001:db8::1 true');
});
