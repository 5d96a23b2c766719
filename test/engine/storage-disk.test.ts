import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CopyParts, compare, copyDifferences } from '../../src/relocation/compare.ts';
import { removeImages } from '../../src/relocation/marks.ts';
import { scan } from '../../src/relocation/scan.ts';
import { Proven } from '../../src/relocation/verify.ts';
import { systemClock } from '../../src/system/clock.ts';
import { run } from '../../src/system/processes.ts';
import { mountReadOnly, mountSmallDisk } from '../support/mounts.ts';

const BLOBS = 40;
const quiet = () => undefined;

let root: string;
let parts: CopyParts;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'moorage-move-'));
  parts = {
    from: join(root, 'old'),
    to: join(root, 'new'),
    clock: systemClock,
    run,
    proven: new Proven(),
    allowDamaged: false,
  };
  await mkdir(parts.to);
  for (let number = 0; number < BLOBS; number += 1) {
    const content = Buffer.alloc(50_000, `${number} `);
    const hex = createHash('sha256').update(content).digest('hex');
    const file = join(parts.from, `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
});

afterEach(() => rm(root, { recursive: true, force: true }));

test('a disk that fills up on the way is named, nothing half copied stays, and with room it goes on', async () => {
  const mounted = await mountSmallDisk(parts.to, 1_000);
  try {
    await expect(copyDifferences(parts, quiet)).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining(parts.to),
      remedy: expect.stringContaining('npm run storage -- move'),
    });
    const { files } = await scan(parts.to);
    expect(files.size).toBeGreaterThan(0);
    for (const { bytes } of files.values()) expect(bytes).toBe(50_000);
    await run('mount', ['-o', 'remount,size=8000k', parts.to]);
    await copyDifferences(parts, quiet);
    expect(await compare(parts, quiet)).toMatchObject({ value: { files: BLOBS, damaged: [] } });
  } finally {
    await mounted.unmount();
  }
});

test('a disk that is read-only by then is named', async () => {
  const mounted = await mountReadOnly(parts.to);
  await expect(copyDifferences(parts, quiet))
    .rejects.toMatchObject({ code: 'read-only' })
    .finally(mounted.unmount);
});

test('what is mounted among old images stays, and so does all else', async () => {
  const inside = join(parts.from, 'docker/registry/v2/blobs/sha256');
  const { unmount } = await mountSmallDisk(inside, 100);
  try {
    await writeFile(join(inside, 'precious'), 'x');
    await expect(removeImages(parts.from)).rejects.toMatchObject({ code: 'mounted-inside' });
    expect(await readdir(inside)).toEqual(['precious']);
  } finally {
    await unmount();
  }
});
