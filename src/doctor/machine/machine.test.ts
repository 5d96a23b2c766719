import { expect, test } from 'vitest';
import type { Finding } from '../finding.ts';
import { judgeClock } from './clock.ts';
import { judgeImages, judgeInodes, judgeState } from './disk.ts';
import { judgeOwner, judgeSecret } from './permissions.ts';
import { judgeSettings } from './settings.ts';
import { judgeCompose, judgeEngine, judgeNode } from './versions.ts';

const GIB = 1024 ** 3;
const MINUTE = 60_000;
const disk = (free: number) => ({ free: free * GIB, size: 100 * GIB, mark: 2 * GIB });
const entry = (mode: number) => ({ path: '/m/.env', name: '.env', mode, uid: 1000 });
const at = (minutes: number) => ({ host: 'ca.example', off: minutes * MINUTE });

test.each<[string, Finding, Finding['verdict'], RegExp?]>([
  ['never set up', judgeSettings({ kind: 'never' }), 'broken', /never set up/],
  [
    'wrong settings',
    judgeSettings({ kind: 'wrong', problems: [{ input: 'DOMAIN', message: 'is a URL' }] }),
    'broken',
    /^DOMAIN: is a URL$/,
  ],
  ['Node that is old', judgeNode('v20.11.1'), 'broken'],
  ['Node that will do', judgeNode('v24.1.0'), 'fine'],
  ['an engine that is old', judgeEngine('19.03.15'), 'broken'],
  ['Debian’s engine', judgeEngine('20.10.24+dfsg1'), 'fine'],
  ['no Compose', judgeCompose(undefined), 'broken'],
  ['Compose without include', judgeCompose('2.19.1'), 'broken', /older than 2\.20\.0/],
  ['Compose that hides its hashes', judgeCompose('2.23.0'), 'warning', /compose#11145/],
  ['Compose that looks in wrong folders', judgeCompose('2.24.6'), 'warning', /compose#11552/],
  ['Debian’s Compose', judgeCompose('2.26.1-4'), 'fine'],
  ['a disk with room', judgeImages({ kind: 'enough', ...disk(50) }, disk(50)), 'fine'],
  ['a disk near its mark', judgeImages({ kind: 'enough', ...disk(6) }, disk(6)), 'warning'],
  [
    'a disk below its mark',
    judgeImages({ kind: 'low', ...disk(1) }, disk(1)),
    'broken',
    /pushes are refused/,
  ],
  ['a full disk that nobody watches', judgeImages({ kind: 'unwatched', because: 'AUTH' }, disk(1)), 'broken'],
  ['images in a bucket', judgeImages({ kind: 'unwatched', because: 'STORAGE' }, undefined), 'fine'],
  ['no room for state', judgeState(100 * 1024 ** 2), 'broken', /certificates can't be renewed/],
  ['inodes', judgeInodes('registry/data', { free: 90, all: 100 }), 'fine'],
  ['few inodes', judgeInodes('registry/data', { free: 4, all: 100 }), 'warning', /^registry\/data: 4 of 100/],
  ['no inodes', judgeInodes('registry/data', { free: 0, all: 100 }), 'broken'],
  ['btrfs, which counts none', judgeInodes('registry/data', { free: 0, all: 0 }), 'fine'],
  ['a secret of its owner', judgeSecret(entry(0o600)), 'fine'],
  ['a secret for the group', judgeSecret(entry(0o640)), 'broken', /\(0640\) is open to its group/],
  ['a secret for all', judgeSecret(entry(0o644)), 'broken', /every user of this machine/],
  ['an owner', judgeOwner(entry(0o600), 1000), 'fine'],
  ['another owner', judgeOwner(entry(0o600), 0), 'warning', /belongs to user 1000, var to user 0/],
  ['a right clock', judgeClock(at(0.5), undefined, false), 'fine'],
  ['a clock ahead', judgeClock(at(20), true, false), 'warning', /^20 minutes ahead of ca\.example/],
  ['a clock behind', judgeClock(at(-20), true, false), 'warning', /behind/],
  ['the same with a bucket', judgeClock(at(20), true, true), 'broken', /the bucket refuses/],
  ['a clock of yesterday', judgeClock(at(-24 * 60), true, false), 'broken'],
  ['a closed network with NTP', judgeClock(undefined, true, false), 'fine'],
  ['a closed network', judgeClock(undefined, undefined, false), 'unknown'],
])('%s', (_, finding, verdict, detail = /./) => {
  expect(finding.verdict).toBe(verdict);
  if (verdict !== 'fine') expect(finding.detail).toMatch(detail);
});

test('a doctor closes Moorage’s own secrets, and leaves those of others to them', () => {
  const close = async () => 'closed';
  expect(judgeSecret(entry(0o644), close).fix?.safe).toBe(close);
  expect(judgeSecret(entry(0o644)).fix?.safe).toBeUndefined();
});
