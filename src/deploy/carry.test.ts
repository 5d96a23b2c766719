import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecordedHost } from '../../test/support/recorded-host.ts';
import { systemClock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { carry } from './carry.ts';
import type { Pinned } from './pinned.ts';

const CONTENT = 'the archive';
const sha512 = createHash('sha512').update(CONTENT);
const digest = sha512.copy().digest('hex');
const pinned: Pinned = {
  package: 'thing',
  version: '1.2.3',
  integrity: `sha512-${sha512.digest('base64')}`,
  folder: 'thing-1.2.3',
  members: ['bin/thing'],
  links: { thing: 'bin/thing' },
};

let cache: string;
let asked: string[];
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'moorage-cache-'));
  asked = [];
});
afterEach(() => rm(cache, { recursive: true, force: true }));

/** `npm pack` that brings `content`, or nothing. */
function npm(content: string | undefined): Run {
  return async (program, args) => {
    asked.push([program, ...args.slice(0, 2)].join(' '));
    const folder = args.at(-1) ?? '';
    if (content === undefined) return { exitCode: 1, stdout: '', stderr: 'npm error code ENOTFOUND' };
    await writeFile(join(folder, 'thing-1.2.3.tgz'), content);
    return { exitCode: 0, stdout: '', stderr: '' };
  };
}

const carried = (run: Run, host = new RecordedHost()) =>
  carry({ host, run, clock: systemClock, cache, proxy: {} }, pinned, () => undefined);

test('a program is fetched once for several machines, also when they want it at the same moment', async () => {
  const run = npm(CONTENT);
  await Promise.all([carried(run), carried(run), carried(run)]);
  await carried(run);
  expect(asked).toEqual(['npm pack thing@1.2.3']);
  expect(await readdir(cache)).toEqual(['thing-1.2.3.tgz']);
});

test('it is copied, and there compared with the digest that is known here', async () => {
  const host = new RecordedHost();
  await carried(npm(CONTENT), host);
  const programs = '/usr/local/lib/moorage';
  expect(host.ran).toEqual([
    `mkdir -p ${programs}/.arriving`,
    `rsync --times --partial ${cache}/thing-1.2.3.tgz vps:${programs}/.arriving/`,
    `sh -s -- ${programs} thing-1.2.3.tgz ${digest} thing-1.2.3 1 thing bin/thing package/bin/thing`,
  ]);
});

test('an archive that was damaged in the cache is fetched anew', async () => {
  await writeFile(join(cache, 'thing-1.2.3.tgz'), 'half');
  await carried(npm(CONTENT));
  expect(asked).toHaveLength(1);
});

test.each([
  ['a registry that is out of reach', undefined, /ENOTFOUND/],
  ['a registry that brings something else', 'another archive', /what came is sha512-/],
])('%s: nothing is copied, nothing is kept', async (_, content, message) => {
  const host = new RecordedHost();
  await expect(carried(npm(content), host)).rejects.toMatchObject({
    code: 'program-unavailable',
    message: expect.stringMatching(message),
  });
  expect(host.ran).toEqual([]);
  expect(await readdir(cache)).toEqual([]);
});

test('a disk that is full there is told in its own words', async () => {
  const full = {
    exitCode: 2,
    stderr: 'tar: bin/node: Wrote only 512 of 10240 bytes\ntar: No space left on device',
  };
  const host = new RecordedHost((line) => (line.startsWith('sh ') ? full : {}));
  await expect(carried(npm(CONTENT), host)).rejects.toMatchObject({
    code: 'program-not-placed',
    message: expect.stringMatching(/thing 1\.2\.3 .*vps: tar: No space left on device/),
  });
});
