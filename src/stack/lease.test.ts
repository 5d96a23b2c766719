import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { counts, hasLapsed, LEASE_SECONDS, leaseLine, type Phase } from './lease.ts';

const NOW = new Date('2026-01-01T12:00:00.500Z');
const after = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

test.each([
  ['in the second it was written', 0, true],
  ['as long as it lasts', LEASE_SECONDS - 1, true],
  ['not once it has run out', LEASE_SECONDS, false],
  ['not when the clock was set back', -10, false],
])('a lease counts %s', (_, seconds, expected) => {
  expect(counts(leaseLine('closed', NOW), after(seconds))).toBe(expected);
});

test.each(['', 'closed', 'closed soon later', 'closed 1'])('%j is no lease', (line) => {
  expect(counts(line, NOW)).toBe(false);
});

test.each([
  ['touched a second ago', 1, false],
  ['touched nearly as long ago as it lasts', LEASE_SECONDS - 1, true],
  ['touched long ago', 3600, true],
  ['touched in the future: the clock was set back', -60, true],
])('its holder takes one for lapsed that was %s: %s', (_, seconds, expected) => {
  expect(hasLapsed(NOW, after(seconds))).toBe(expected);
});

test('a holder never believes in a lease that others have given up', () => {
  for (let seconds = -5; seconds < 60; seconds += 0.25)
    if (!hasLapsed(NOW, after(seconds)) && seconds >= 0)
      expect(counts(leaseLine('closed', NOW), after(seconds))).toBe(true);
});

/** What the shell makes of leases, as nginx and the registry do. */
function askedFor(leases: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'leases-'));
  for (const [name, line] of Object.entries(leases)) writeFileSync(join(folder, name), line);
  const script = '. "$1" && asked_for "$2"';
  const file = join(paths().root, 'registry/config/lease.sh');
  return execFileSync('sh', ['-euc', script, 'sh', file, folder], { encoding: 'utf8' }).trim();
}

const line = (phase: Phase, age = 0) => leaseLine(phase, new Date(Date.now() - age * 1000));

test.each<[string, Record<string, string>, string]>([
  ['nothing without a lease', {}, ''],
  ['what one asks for', { 'gc.lease': line('closing') }, 'closing'],
  ['the strongest of two', { 'a.lease': line('closed'), 'b.lease': line('closing') }, 'closed'],
  [
    'the strongest of three',
    { 'a.lease': line('closed'), 'b.lease': line('collecting'), 'c.lease': line('closed') },
    'collecting',
  ],
  ['nothing for one that ran out', { 'gc.lease': line('closed', LEASE_SECONDS + 1) }, ''],
  ['nothing for one of the future', { 'gc.lease': line('closed', -60) }, ''],
  ['nothing for half a line or none', { 'gc.lease': 'clo', 'b.lease': '', 'c.lease': 'closed x y\n' }, ''],
  ['nothing for a word it does not know', { 'gc.lease': line('closed').replace('closed', 'open') }, ''],
  ['nothing for another file', { 'gc.lease.new': line('closed') }, ''],
])('registry/config/lease.sh says %s', (_, leases, expected) => {
  expect(askedFor(leases)).toBe(expected);
});
