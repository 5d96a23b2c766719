import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, expect, test } from 'vitest';
import { paths } from '../../src/paths.ts';
import { leaseLine } from '../../src/stack/lease.ts';

const scripts = join(paths().root, 'registry/config');
/** What start.sh has done before it hands over to collect.sh. */
const HAND_OVER = `set -eu
fail() { echo "$1" >&2; exit 1; }
maintenance=$1 scripts=$2
shift 2
. "$scripts/lease.sh"
. "$scripts/collect.sh"`;

let folder: string;
let maintenance: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'collect-'));
  maintenance = join(folder, 'maintenance');
  await mkdir(maintenance);
});

/** Collects with a program that does this instead of distribution. */
async function collect(program: string, leaseSeconds: number, ...args: string[]) {
  await writeFile(join(folder, 'registry'), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  const env = { PATH: `${folder}:/usr/bin:/bin`, LEASE_SECONDS: String(leaseSeconds), FOLDER: folder };
  const { exitCode, stdout, stderr } = await execa(
    'sh',
    ['-c', HAND_OVER, 'sh', maintenance, scripts, ...args],
    {
      env,
      reject: false,
    },
  );
  return { exitCode, stdout, stderr };
}

const lease = (at = new Date()) => writeFile(join(maintenance, 'gc.lease'), leaseLine('collecting', at));
/** Takes twenty seconds, if nobody ends it. */
const SLOW = 'for each in $(seq 200); do sleep 0.1; done; touch "$FOLDER/collected"';
const HOLDS = 'cat "$FOLDER/maintenance/collector.lease"';

test('while nobody keeps writes closed nothing is collected', async () => {
  const { exitCode, stderr } = await collect('touch "$FOLDER/collected"', 30);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/nothing was collected/),
  });
  expect(existsSync(join(folder, 'collected'))).toBe(false);
});

test('a rehearsal needs no closed writes, and closes none', async () => {
  const { exitCode, stdout } = await collect('echo "$@"', 30, '--dry-run');
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: 'garbage-collect --dry-run /etc/moorage/registry.yml',
  });
});

test('the collector holds a lease of its own while it works, and leaves none', async () => {
  await lease();
  const { exitCode, stdout } = await collect(HOLDS, 30);
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(/^collecting \d+ \d+$/),
  });
  expect(readdirSync(maintenance)).toEqual(['gc.lease']);
});

test('how it ended is told, and its lease ends all the same', async () => {
  await lease();
  expect(await collect('exit 3', 30)).toMatchObject({ exitCode: 3 });
  expect(readdirSync(maintenance)).toEqual(['gc.lease']);
});

test('one that stood still until others may write again is ended before it takes anything away', async () => {
  await lease(new Date(Date.now() - 28_000)); // ends in two seconds; its own, of no second, counts never
  const { exitCode } = await collect(SLOW, 0);
  expect(exitCode).toBe(137);
  expect(existsSync(join(folder, 'collected'))).toBe(false);
  expect(existsSync(join(maintenance, 'collector.lease'))).toBe(false);
});

test('one whose lease can’t be written any more is ended with it, as by then others may write', async () => {
  await lease(new Date(Date.now() - 27_000)); // who started it is gone in three seconds
  const { exitCode } = await collect(`ln -s /dev/full "$FOLDER/maintenance/collector.lease.new"\n${SLOW}`, 2);
  expect(exitCode).toBe(137);
  expect(existsSync(join(folder, 'collected'))).toBe(false);
});
