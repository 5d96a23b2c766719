import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FolderTree } from '../../src/inventory/folder-tree.ts';
import { readInventory } from '../../src/inventory/inventory.ts';
import { environment } from '../../src/settings/environment.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { type Release, Releases } from '../support/releases.ts';

/** ROUNDS=1000 takes hours. */
const ROUNDS = Number(environment().ROUNDS ?? 2);
const PER_ROUND = 120_000;
const KEEP = 3;

let checkout: Checkout;
let as: string;
let repositories: Releases[];

beforeAll(async () => {
  checkout = await Checkout.make();
  as = loginOf(await checkout.init());
  const calls = new RegistryCalls(checkout);
  repositories = ['rounds/a', 'rounds/b', 'rounds/deep/c'].map((name) => new Releases(name, calls, as));
});

afterAll(() => checkout?.dispose());

const keptOf = ({ all }: Releases): readonly Release[] => all.slice(-KEEP);

async function pruned(): Promise<void> {
  const rules = ['--repo', 'rounds/**', '--keep-last', String(KEEP), '--untagged-days', '0'];
  const ran = await checkout.command('prune', [...rules, '--undo-days', '0', '--yes', '--json']);
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
}

async function collected(): Promise<void> {
  const ran = await checkout.command('gc', ['--json']);
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
}

/** What is on the disk: manifests by repository, and all blobs. */
async function stored() {
  const tree = new FolderTree(join(checkout.root, 'registry/data'));
  const inventory = await readInventory(tree, (name) => name.startsWith('rounds/'));
  const blobs: string[] = [];
  for (const short of await tree.list('blobs/sha256'))
    for (const hex of await tree.list(`blobs/sha256/${short}`)) blobs.push(`sha256:${hex}`);
  return {
    tags: inventory.repositories.map(({ name, tags }) => [name, tags.map((tag) => tag.name).sort()]),
    manifests: inventory.repositories.map(({ name, manifests }) => [name, [...manifests.keys()].sort()]),
    blobs: blobs.sort(),
  };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

test(
  `${ROUNDS} rounds of push, prune, collect and pull: nothing is lost that a rule keeps, nothing kept that should go`,
  async () => {
    let over = false;
    const pushing = repositories.map(async (repository) => {
      while (!over) await repository.push();
    });
    const rounds = (async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await pruned();
        await collected();
        for (const repository of repositories)
          for (const release of keptOf(repository)) await repository.verify(release);
      }
    })().finally(() => {
      over = true;
    });
    await Promise.all([rounds, ...pushing]);

    // What is left when nobody pushes any more is what the rule keeps, and not a blob beside that.
    await pruned();
    await collected();
    const kept = repositories.map((repository) => ({
      name: repository.repository,
      releases: keptOf(repository),
    }));
    const all = kept.flatMap(({ releases }) => releases);
    const left = await stored();
    expect(left.tags).toEqual(
      kept.map(({ name, releases }) => [
        name,
        unique(releases.flatMap(({ tag, followers }) => [tag, ...followers])),
      ]),
    );
    expect(left.manifests).toEqual(
      kept.map(({ name, releases }) => [name, unique(releases.flatMap(({ manifests }) => manifests))]),
    );
    const blobs = new Set(left.blobs);
    for (const { manifests, blobs: own } of all)
      for (const digest of [...manifests, ...own]) expect(blobs).toContain(digest);
  },
  ROUNDS * PER_ROUND,
);
