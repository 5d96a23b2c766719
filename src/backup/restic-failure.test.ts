import { expect, test } from 'vitest';
import { failureOf } from './restic-failure.ts';

const target = { kind: 'ssh', login: 'me@nas', repository: 'sftp:me@nas:/b', shown: 'me@nas:/b' } as const;

/** As restic 0.14 and 0.18 say it. */
test.each([
  [1, 'Fatal: wrong password or no key found', 'wrong-password'],
  [12, 'Fatal: wrong password or no key found', 'wrong-password'],
  [
    10,
    'Fatal: repository does not exist: unable to open config file: stat /b/config: no such file',
    'no-backup',
  ],
  [
    1,
    'Fatal: unable to open config file: stat /b/config: no such file or directory\nIs there a repository at',
    'no-backup',
  ],
  [
    1,
    'Fatal: unable to open config file: Stat: The specified key does not exist.\nIs there a repository',
    'no-backup',
  ],
  [
    1,
    'subprocess ssh: ssh: connect to host nas port 22: Connection refused\nFatal: unable to start the sftp session, error: EOF',
    'target-unreachable',
  ],
  [
    1,
    'subprocess ssh: me@nas: Permission denied (publickey).\nFatal: unable to start the sftp session',
    'target-forbidden',
  ],
  [1, 'subprocess ssh: Host key verification failed.', 'target-forbidden'],
  [
    1,
    'Fatal: unable to open config file: Stat: The request signature we calculated does not match',
    'target-forbidden',
  ],
  [1, 'Fatal: unable to save snapshot: write /b/data/26/x: no space left on device', 'target-full'],
  [
    1,
    '{"message_type":"exit_error","code":1,"message":"Fatal: unable to save snapshot: write /b/x: no space left on device"}',
    'target-full',
  ],
  [11, 'unable to create lock in backend', 'target-locked'],
  [
    1,
    'Fatal: unable to create lock in backend: repository is already locked by PID 7 on host',
    'target-locked',
  ],
  [1, 'decrypting blob 9192 failed: ciphertext verification failed', 'backup-damaged'],
  [1, 'something new', 'restic-failed'],
])('%i %s', (exitCode, stderr, code) => {
  expect(failureOf('backup', target, { exitCode, stdout: '', stderr })).toMatchObject({ code });
});

test('whoever may not log in is told what has to work', () => {
  const finished = { exitCode: 1, stdout: '', stderr: 'subprocess ssh: Permission denied (publickey).' };
  expect(failureOf('snapshots', target, finished).remedy).toContain('ssh -o BatchMode=yes me@nas true');
});
