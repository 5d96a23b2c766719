import { access, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { retention, rule } from '../../test/support/inventories.ts';
import { RegistryDisk } from '../../test/support/registry-disk.ts';
import { FolderTree } from '../inventory/folder-tree.ts';
import { readInventory } from '../inventory/inventory.ts';
import { onDisk, revisionLink, tagLink } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';
import { applyPlan, hasten, recover, type Storehouse, waitingLonger } from './apply.ts';
import { expired, foldersOf } from './expired.ts';
import { planRetention } from './plan.ts';
import { PrunedFile } from './pruned.ts';
import { bringBackTags, chooseReturns } from './undo.ts';
import { setAside } from './untag.ts';

const REPO = 'team/app';
const MANIFEST = (name: string) => JSON.stringify({ schemaVersion: 2, annotations: { name } });
const THEN = new Date('2026-01-01T00:00:00Z');

let disk: RegistryDisk;
let tree: FolderTree;
let clock: FakeClock;
let pruned: PrunedFile;
let house: Storehouse;

beforeEach(async () => {
  disk = await RegistryDisk.make();
  tree = new FolderTree(disk.root);
  clock = new FakeClock('2026-06-15T12:00:00Z');
  pruned = new PrunedFile(join(disk.root, 'var/pruned.jsonl'));
  house = { tree, reopen: async () => tree, closed: (work) => work(() => undefined), pruned, clock };
  await push('old', THEN);
  await push('new', new Date('2026-06-15T00:00:00Z'));
});

afterEach(() => rm(disk.root, { recursive: true }));

const tagFile = (tag: string) => onDisk(disk.root, tagLink(REPO, tag));

async function push(tag: string, when: Date, content = tag): Promise<string> {
  const digest = await disk.manifest(REPO, tag, MANIFEST(content));
  const revision = onDisk(disk.root, revisionLink(REPO, digest.slice('sha256:'.length)));
  for (const file of [tagFile(tag), revision]) await utimes(file, when, when);
  return digest;
}

async function plan() {
  const inventory = await readInventory(tree);
  const facts = { now: clock.now(), remembered: await pruned.read(), immutable: () => false };
  return planRetention(inventory, retention(rule({ last: 1 })), facts);
}

const tags = async () => (await readInventory(tree)).repositories[0]?.tags ?? [];
const names = async () => (await tags()).map(({ name }) => name);

/** The same files without a way to move them, as in a bucket. */
const bucket = (): Tree => ({
  list: (path) => tree.list(path),
  facts: (path) => tree.facts(path),
  read: (path) => tree.read(path),
  write: (path, content) => tree.write(path, content),
  remove: (path) => tree.remove(path),
});

describe.each(['disk', 'bucket'])('on a %s', (kind) => {
  beforeEach(() => {
    if (kind === 'bucket') house = { ...house, tree: bucket(), reopen: async () => bucket() };
  });

  test('a tag that goes is gone, is remembered, and can be brought back until it is collected', async () => {
    const applied = await applyPlan(house, await plan(), 7);
    expect(applied).toMatchObject({ removed: 1, changed: [] });
    expect(await names()).toEqual(['new']);
    await expect(access(join(tagFile('old'), '../..'))).rejects.toThrow('ENOENT');
    const chosen = chooseReturns(await pruned.read(), []);
    expect(await bringBackTags(house, chosen)).toMatchObject([{ tag: 'old', outcome: 'back' }]);
    expect(await names()).toEqual(['new', 'old']);
    if (kind === 'disk') expect((await tags())[1]?.pushed).toEqual(THEN);
    expect(chooseReturns(await pruned.read(), [])).toEqual([]);
  });

  test('what was pushed since the plan was made stays: the same digest, another one', async () => {
    await push('older', THEN);
    const made = await plan();
    const other = await push('old', new Date('2026-06-15T11:59:00Z'), 'anew');
    await push('older', new Date('2026-06-15T11:59:00Z'));
    const applied = await applyPlan(house, made, 7);
    expect(applied).toMatchObject({ removed: 0, changed: [`${REPO}:old`, `${REPO}:older`] });
    expect(await names()).toEqual(['new', 'old', 'older']);
    expect((await tags())[1]?.digest).toBe(other);
    expect(chooseReturns(await pruned.read(), [])).toEqual([]);
  });

  test('a tag that was pushed anew is not overwritten by bringing it back', async () => {
    await applyPlan(house, await plan(), 7);
    const anew = await push('old', clock.now(), 'anew');
    expect(await bringBackTags(house, chooseReturns(await pruned.read(), [`${REPO}:old`]))).toMatchObject([
      { outcome: 'pushed-anew' },
    ]);
    expect((await tags())[1]?.digest).toBe(anew);
  });

  test('given up, a manifest is unlinked, and then there is nothing to bring back', async () => {
    await applyPlan(house, await plan(), 1);
    const entries = await pruned.read();
    const over = async () => expired(await readInventory(tree), await pruned.read(), { now: clock.now() });
    expect((await over()).manifests).toEqual([]);
    await clock.sleep(2 * 86_400_000);
    expect((await over()).manifests).toHaveLength(1);
    for (const folder of foldersOf(await over())) await tree.remove(`repositories/${folder}`);
    await pruned.forget((await over()).over);
    expect((await readInventory(tree)).repositories[0]?.manifests.size).toBe(1);
    expect(await pruned.read()).toEqual([]);
    await pruned.add(entries);
    expect(await bringBackTags(house, chooseReturns(entries, []))).toMatchObject([{ outcome: 'collected' }]);
  });
});

test('a push that had the link open when it was moved brings its tag back', async () => {
  const late: Storehouse = {
    ...house,
    clock: {
      now: () => clock.now(),
      sleep: (milliseconds) =>
        // distribution writes into the file that it opened, wherever that is by now
        writeFile(onDisk(disk.root, `repositories/${REPO}/_moorage/old/current/link`), 'sha256:anew').then(
          () => clock.sleep(milliseconds),
        ),
    },
  };
  expect(await applyPlan(late, await plan(), 7)).toMatchObject({ removed: 0, changed: [`${REPO}:old`] });
  expect((await tags()).find(({ name }) => name === 'old')?.digest).toBe('sha256:anew');
});

describe('a run that was killed after it moved a tag', () => {
  const aside = () => readdir(onDisk(disk.root, `repositories/${REPO}/_moorage`));
  const killed = async (remember: boolean) => {
    const [, old] = await tags();
    if (old === undefined) throw new Error('there is no such tag');
    const entry = { run: '1', at: clock.now(), repository: REPO, tag: 'old', until: clock.now(), ...old };
    if (remember) await pruned.add([entry]);
    await setAside(tree, REPO, old);
    expect(await names()).toEqual(['new']);
  };

  test('is ended where it had remembered the tag', async () => {
    await killed(true);
    await recover(house);
    expect([await names(), await aside()]).toEqual([['new'], []]);
    expect(chooseReturns(await pruned.read(), [])).toHaveLength(1);
  });

  test('is undone where the tag was another by then', async () => {
    await killed(false);
    await recover(house);
    expect([await names(), await aside()]).toEqual([['new', 'old'], []]);
  });

  test('leaves alone what was pushed meanwhile', async () => {
    await killed(false);
    const anew = await push('old', clock.now(), 'anew');
    await recover(house);
    expect([(await tags())[1]?.digest, await aside()]).toEqual([anew, []]);
  });
});

test('a run that fails forgets what it has not removed', async () => {
  const made = await plan();
  await rm(tagFile('old'));
  await writeFile(onDisk(disk.root, `repositories/${REPO}/_moorage`), 'in the way');
  await disk.tag(REPO, 'old', made.repositories[0]?.going[0]?.digest ?? '');
  await expect(applyPlan(house, made, 7)).rejects.toThrow();
  expect(await pruned.read()).toEqual([]);
});

test('who wants the room now shortens the wait for what was removed before', async () => {
  await applyPlan(house, await plan(), 7);
  expect(waitingLonger(await pruned.read(), () => false, 0)).toEqual([]);
  expect(waitingLonger(await pruned.read(), () => true, 0)).toHaveLength(2);
  await hasten(house, (repository) => repository === REPO, 0);
  expect(waitingLonger(await pruned.read(), () => true, 0)).toEqual([]);
  const { manifests } = expired(await readInventory(tree), await pruned.read(), { now: clock.now() });
  expect(manifests).toHaveLength(1);
});

test('what was never removed can’t be brought back, and what is near is named', () => {
  const entry = { run: '1', at: THEN, until: THEN, pushed: THEN, digest: 'sha256:1', repository: REPO };
  expect(() => chooseReturns([{ ...entry, tag: 'v1.0' }], [`${REPO}:v1.1`])).toThrow(
    'there is team/app:v1.0',
  );
});
