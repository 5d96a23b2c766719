import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { systemClock } from '../system/clock.ts';
import { bringBack, type CopyParts, compare, copyDifferences, copyThese, proveBlobs } from './compare.ts';
import { lateArrivals } from './differences.ts';
import { isMarkedNew, markNew, removeImages } from './marks.ts';
import { scan } from './scan.ts';
import { isSound, Proven } from './verify.ts';

const LINK = 'docker/registry/v2/repositories/app/_manifests/tags/1/current/link';
const LONG_AGO = new Date('2020-02-02T02:02:02.123Z');
const quiet = () => undefined;

let parts: CopyParts;
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'relocation-'));
  const run = async () => ({ exitCode: 0, stdout: '', stderr: '' });
  const places = { from: join(root, 'old'), to: join(root, 'new') };
  await mkdir(places.to);
  parts = { ...places, clock: systemClock, run, proven: new Proven(), allowDamaged: false };
  await put(LINK, 'sha256:0000');
  await utimes(join(parts.from, LINK), LONG_AGO, LONG_AGO);
});

async function put(path: string, content: string, directory = parts.from): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
}

function blob(content: string, algorithm = 'sha256'): string {
  const hex = createHash(algorithm).update(content).digest('hex');
  return `docker/registry/v2/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data`;
}

test('what is copied has the content, the mode and the time that it had', async () => {
  await put(blob('layer'), 'layer');
  await chmod(join(parts.from, LINK), 0o664);
  await chmod(join(parts.from, dirname(LINK)), 0o2775);
  await copyDifferences(parts, quiet);
  expect(await readFile(join(parts.to, blob('layer')), 'utf8')).toBe('layer');
  const [link, folder] = [await stat(join(parts.to, LINK)), await stat(join(parts.to, dirname(LINK)))];
  expect(link.mtime).toEqual(LONG_AGO);
  expect([link.mode & 0o7777, folder.mode & 0o7777]).toEqual([0o664, 0o2775]);
  expect(await compare(parts, quiet)).toMatchObject({ value: { damaged: [], files: 2 } });
  expect(await copyDifferences(parts, quiet)).toMatchObject({ changed: false });
});

test('a tag that was deleted when folders were made and pushed again before files were is no stop', async () => {
  const wanted = { folders: [], remove: [], copy: [LINK, `${LINK}-gone`], bytes: 11 };
  await copyThese(parts, wanted, quiet);
  expect(await readFile(join(parts.to, LINK), 'utf8')).toBe('sha256:0000');
});

test('a new disk that is gone is said to be, and not taken for a defect', async () => {
  await rm(parts.to, { recursive: true });
  await expect(copyDifferences(parts, quiet)).rejects.toMatchObject({ code: 'not-written' });
});

test('what the new disk does not take is no damage of the old one, and is not left out as such', async () => {
  const takesNothing = () => {
    throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
  };
  await expect(copyDifferences({ ...parts, allowDamaged: true }, takesNothing)).rejects.toMatchObject({
    code: 'not-written',
    message: expect.stringContaining(parts.to),
  });
});

test('what a killed copying left half made is no image on either side, and goes', async () => {
  await put(`${LINK}.moorage-copy`, 'sha2');
  await put(`${LINK}.moorage-copy`, 'sha2', parts.to);
  await copyDifferences(parts, quiet);
  expect(await compare(parts, quiet)).toMatchObject({ value: { files: 1 } });
  expect(await readdir(join(parts.to, dirname(LINK)))).toEqual(['link']);
  await bringBack(parts, 0, quiet);
  expect(await readdir(join(parts.from, dirname(LINK)))).toEqual(['link']);
});

test('uploads on their way stay where they are', async () => {
  await put('docker/registry/v2/repositories/app/_uploads/id/data', 'half');
  await copyDifferences(parts, quiet);
  expect([...(await scan(parts.to)).files.keys()]).toEqual([LINK]);
});

test('files of others in the folder are no images, and stay', async () => {
  await put('lost+found/file', 'foreign');
  await copyDifferences(parts, quiet);
  await removeImages(parts.from);
  expect(await readFile(join(parts.from, 'lost+found/file'), 'utf8')).toBe('foreign');
  expect((await scan(parts.from)).files.size).toBe(0);
  await expect(stat(join(parts.from, 'docker'))).rejects.toThrow();
});

test('a link among the images stops a copy and a removal: nothing behind it is touched', async () => {
  await mkdir(join(root, 'elsewhere'));
  await writeFile(join(root, 'elsewhere/file'), 'kept');
  await symlink(join(root, 'elsewhere'), join(parts.from, 'docker/registry/v2/blobs'));
  await expect(copyDifferences(parts, quiet)).rejects.toMatchObject({ code: 'foreign-files' });
  await expect(removeImages(parts.from)).rejects.toMatchObject({ code: 'foreign-files' });
  expect(await readFile(join(root, 'elsewhere/file'), 'utf8')).toBe('kept');
  expect(await readFile(join(parts.from, LINK), 'utf8')).toBe('sha256:0000');
});

test('so does one in place of `docker` itself', async () => {
  await rm(join(parts.from, 'docker'), { recursive: true });
  await mkdir(join(root, 'elsewhere/registry/v2'), { recursive: true });
  await symlink(join(root, 'elsewhere'), join(parts.from, 'docker'));
  await expect(removeImages(parts.from)).rejects.toMatchObject({ code: 'foreign-files' });
});

test.each(['sha256', 'sha512'])('a copy that is not what its %s says is made again', async (algorithm) => {
  const path = blob('layer', algorithm);
  await put(path, 'layer');
  await copyDifferences(parts, quiet);
  await writeFile(join(parts.to, path), 'lower');
  expect(await proveBlobs(parts, quiet)).toMatchObject({ value: { damaged: [] } });
  expect(await readFile(join(parts.to, path), 'utf8')).toBe('layer');
});

test('a blob that is damaged in the old place is named, and comes along only when told', async () => {
  const path = blob('layer');
  await put(path, 'lower');
  await copyDifferences(parts, quiet);
  await expect(proveBlobs(parts, quiet)).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining(path),
    remedy: expect.stringContaining('--allow-damaged'),
  });
  const allowing = { ...parts, allowDamaged: true };
  expect(await compare(allowing, quiet)).toMatchObject({ value: { damaged: [path], files: 2 } });
});

test('a link that its disk does not give any more is not sound', async () => {
  expect(await isSound('/proc/self/mem', LINK)).toBe(false); // whose first page nobody can read: EIO
  expect(await isSound(join(parts.from, LINK), LINK)).toBe(true);
});

test('a link that was written anew comes along, though its size and time are the same', async () => {
  await copyDifferences(parts, quiet);
  await writeFile(join(parts.from, LINK), 'sha256:1111');
  await utimes(join(parts.from, LINK), LONG_AGO, LONG_AGO);
  await compare(parts, quiet);
  expect(await readFile(join(parts.to, LINK), 'utf8')).toBe('sha256:1111');
});

test('a file too much in the new place is seen', async () => {
  await copyDifferences(parts, quiet);
  await put(`${LINK}2`, 'sha256:2222', parts.to);
  await expect(compare(parts, quiet)).rejects.toMatchObject({ code: 'not-same' });
});

test('a folder is ours only for the checkout and the old place that its mark names', async () => {
  await markNew(parts.to, { checkout: '/one', from: parts.from });
  expect(await isMarkedNew(parts.to, { checkout: '/one', from: parts.from })).toBe(true);
  expect(await isMarkedNew(parts.to, { checkout: '/two', from: parts.from })).toBe(false);
  expect(await isMarkedNew(parts.to, { checkout: '/one', from: '/other' })).toBe(false);
  expect(await isMarkedNew(parts.from, { checkout: '/one', from: parts.from })).toBe(false);
});

test('what was pushed to the new place while that served outlives the next copying', async () => {
  await copyDifferences(parts, quiet);
  const since = Date.now() - 60_000;
  const pushed = LINK.replace('tags/1', 'tags/2');
  await put(pushed, 'sha256:2222', parts.to);
  expect(await bringBack(parts, since, quiet)).toMatchObject({ changed: true });
  await copyDifferences(parts, quiet);
  expect(await readFile(join(parts.from, pushed), 'utf8')).toBe('sha256:2222');
  expect(await readFile(join(parts.to, pushed), 'utf8')).toBe('sha256:2222');
});

test('a tag that is pushed while late ones come along keeps what it was pushed as', async () => {
  await put(LINK, 'sha256:1111', parts.to);
  await utimes(join(parts.to, LINK), 1, 1);
  const late = lateArrivals(await scan(parts.from), await scan(parts.to), 0);
  await put(LINK, 'sha256:2222', parts.to);
  await copyThese(parts, late, quiet);
  expect(await readFile(join(parts.to, LINK), 'utf8')).toBe('sha256:2222');
});
