import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { blobPath, onDisk } from '../inventory/layout.ts';
import { hashBlobs, isRight } from './hash-blobs.ts';

let data: string;
let memory: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'hashes-'));
  memory = join(data, 'var/move/hashed');
});

async function store(content: string, stored = content): Promise<string> {
  const hex = createHash('sha256').update(content).digest('hex');
  const path = onDisk(data, blobPath(hex));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, stored);
  return hex;
}

const hash = () => hashBlobs(data, memory, () => undefined);

test('a registry without images has no blobs', async () => {
  expect(await hash()).toEqual({ count: 0, bytes: 0, wrong: [] });
});

test('what is not what its name says is told, as often as it is looked at', async () => {
  const [right, wrong] = [await store('one'), await store('two', 'twO')];
  expect(await hash()).toEqual({ count: 2, bytes: 6, wrong: [wrong] });
  expect(await hash()).toEqual({ count: 2, bytes: 6, wrong: [wrong] });
  expect([await isRight(data, right), await isRight(data, wrong)]).toEqual([true, false]);
});

test('what was right is hashed again once it was touched', async () => {
  const hex = await store('one');
  await hash();
  expect(await readFile(memory, 'utf8')).toMatch(new RegExp(`^${hex} 3 `));
  await writeFile(onDisk(data, blobPath(hex)), 'onE');
  expect(await hash()).toMatchObject({ wrong: [hex] });
});
