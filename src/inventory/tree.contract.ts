import { expect, test } from 'vitest';
import type { Tree } from './tree.ts';

const bytes = (text: string) => Buffer.from(text);

/** What every tree keeps, as tests. `open` gives one without files; `now` is what it takes for the time. */
export function keepsTheTreesContract(open: () => Promise<Tree>, now: () => Date) {
  test('nothing is there at first, and asking for it is fine', async () => {
    const tree = await open();
    expect(await tree.list('repositories')).toEqual([]);
    expect(await tree.list('repositories/a/_manifests/tags')).toEqual([]);
    expect(await tree.facts('repositories/a/link')).toBeUndefined();
    expect(await tree.read('blobs/sha256/aa/aa/data')).toBeUndefined();
    await tree.remove('repositories/a');
  });

  test('what was written can be read, byte for byte, and is as long as it is', async () => {
    const tree = await open();
    const content = Buffer.from([0, 255, 10, 13, 128, 195, 40]);
    await tree.write('blobs/sha256/aa/aa/data', content);
    expect(await tree.read('blobs/sha256/aa/aa/data')).toEqual(content);
    const facts = await tree.facts('blobs/sha256/aa/aa/data');
    expect(facts?.bytes).toBe(7);
    expect(Math.abs((facts?.written.getTime() ?? 0) - now().getTime())).toBeLessThan(60_000);
  });

  test('what is larger than a manifest ever is is whole too', async () => {
    const tree = await open();
    const large = Buffer.alloc(300_000, 'abc');
    await tree.write('blobs/sha256/aa/aa/data', large);
    expect((await tree.read('blobs/sha256/aa/aa/data'))?.equals(large)).toBe(true);
  });

  test('one file read does not change what another was', async () => {
    const tree = await open();
    await tree.write('repositories/a', bytes('first'));
    await tree.write('repositories/b', bytes('other'));
    const first = await tree.read('repositories/a');
    await tree.read('repositories/b');
    expect(first?.toString()).toBe('first');
  });

  test('folders list what is directly below them: folders and files, of nested names too', async () => {
    const tree = await open();
    for (const path of ['a/_layers/x/link', 'a/b/_layers/y/link', 'a/b/c/_layers/z/link', 'ab/link', 'file'])
      await tree.write(`repositories/${path}`, bytes(path));
    const names = async (folder: string) => [...(await tree.list(folder))].sort();
    expect(await names('repositories')).toEqual(['a', 'ab', 'file']);
    expect(await names('repositories/a')).toEqual(['_layers', 'b']);
    expect(await names('repositories/a/b')).toEqual(['_layers', 'c']);
    expect(await names('repositories/a/b/c/_layers/z')).toEqual(['link']);
    expect(await names('repositories/file')).toEqual([]);
  });

  test('a folder is no file', async () => {
    const tree = await open();
    await tree.write('repositories/a/link', bytes('x'));
    expect(await tree.facts('repositories/a')).toBeUndefined();
  });

  test('a file is replaced as a whole', async () => {
    const tree = await open();
    await tree.write('repositories/a/link', bytes('a long first text'));
    await tree.write('repositories/a/link', bytes('short'));
    expect((await tree.read('repositories/a/link'))?.toString()).toBe('short');
    expect((await tree.facts('repositories/a/link'))?.bytes).toBe(5);
    expect(await tree.list('repositories/a')).toEqual(['link']);
  });

  test('a file is removed, and nothing else', async () => {
    const tree = await open();
    await tree.write('repositories/a/link', bytes('x'));
    await tree.write('repositories/a/link2', bytes('x'));
    await tree.remove('repositories/a/link');
    expect(await tree.list('repositories/a')).toEqual(['link2']);
    expect(await tree.read('repositories/a/link')).toBeUndefined();
  });

  test('a folder is removed with all that is below, and nothing that only begins like it', async () => {
    const tree = await open();
    for (const path of ['a/x/link', 'a/b/c/link', 'ab/link'])
      await tree.write(`repositories/${path}`, bytes('x'));
    await tree.remove('repositories/a');
    expect(await tree.list('repositories')).toEqual(['ab']);
    expect(await tree.read('repositories/a/b/c/link')).toBeUndefined();
    await tree.write('repositories/a/new', bytes('x'));
    expect(await tree.list('repositories/a')).toEqual(['new']);
  });
}
