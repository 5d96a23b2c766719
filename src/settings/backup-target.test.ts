import { expect, test } from 'vitest';
import { parseBackupTarget } from './backup-target.ts';

test.each([
  ['/srv/backup', { kind: 'folder', folder: '/srv/backup', repository: '/srv/backup' }],
  ['/srv/images/../backup/', { kind: 'folder', folder: '/srv/backup', repository: '/srv/backup' }],
  ['local:/srv/backup', { kind: 'folder', folder: '/srv/backup' }],
  ['me@host:/srv/b', { kind: 'ssh', login: 'me@host', repository: 'sftp:me@host:/srv/b' }],
  ['nas:/b', { kind: 'ssh', login: 'nas' }],
  ['me@[2001:db8::1]:/b', { kind: 'ssh', login: 'me@[2001:db8::1]' }],
  ['sftp:me@host:/b', { kind: 'ssh', repository: 'sftp:me@host:/b' }],
  ['sftp://me@host:2222//b', { kind: 'other', repository: 'sftp://me@host:2222//b' }],
  ['s3:https://s3.example.com/bucket/a/b', { kind: 's3' }],
  ['s3:s3.amazonaws.com/bucket', { kind: 's3' }],
  ['rest:https://me:secret@host/', { kind: 'other', shown: 'rest:https://me:…@host/' }],
  ['rclone:remote:folder', { kind: 'other' }],
])('%s', (text, target) => {
  expect(parseBackupTarget(text)).toMatchObject(target);
});

test.each([
  ['backup', /none of/],
  ['./backup', /none of/],
  ['-oProxyCommand=x:/b', /none of/],
  ['me@-oProxyCommand=x:/b', /none of/],
  ['me@host:backup', /none of/],
  ['sftp:-oProxyCommand=x:/b', /dash/],
  ['sftp:me@-oProxyCommand=x:/b', /dash/],
  ['sftp://-oProxyCommand=x/b', /dash/],
  ['rest:https://me:se/cret@host/', /rest:https/],
  ['/srv/my backup', /blank/],
  ['s3:https://host', /names no bucket/],
  ['s3:https://host/b', /names no bucket/],
  ['s3:https://key:secret@host/bucket', /AWS_ACCESS_KEY_ID/],
])('%s is none', (text, reason) => {
  expect(parseBackupTarget(text)).toMatch(reason);
});
