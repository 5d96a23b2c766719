import { join } from 'node:path';
import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { type Inventory, readInventory } from '../inventory/inventory.ts';
import { blobPath, REPOSITORIES, sha256Hex } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';
import { LEASE_SECONDS } from '../stack/lease.ts';
import type { WritesClosed } from '../stack/writes.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { atOnce } from '../system/at-once.ts';
import { diskOf } from '../system/disk.ts';
import { writeAtomically } from '../system/files.ts';
import { lastLines } from '../system/processes.ts';
import { type Damage, storedDamage } from './damage.ts';
import { type Findings, readFindings } from './findings.ts';
import { findLeftovers, foldersToRemove, type Leftovers } from './leftovers.ts';
import { COLLECTOR, type CollectionParts } from './parts.ts';

/** What the registry had when nobody could write any more. */
export interface Before {
  readonly inventory: Inventory;
  readonly damage: readonly Damage[];
  readonly leftovers: Leftovers;
  readonly tree: Tree;
}

export interface Collected extends Findings {
  /** Of the blobs. */
  readonly bytes: number;
  /** By df, where the images are on a disk; what others write at the same time is in it. */
  readonly freed: number | undefined;
}

export interface Wishes {
  readonly deleteUntagged: boolean;
  /** Folders below `repositories`, of manifests that are given up: they go first. */
  readonly forget?: readonly string[];
}

const LAST_LINES = 6;
const AT_ONCE = 32;

export async function look({ openTree, clock }: CollectionParts): Promise<Done<Before>> {
  const tree = await openTree();
  await tree.list('blobs/sha256'); // a bucket's tree remembers what it has listed: sizes of what will be gone
  const inventory = await readInventory(tree);
  const [damage, leftovers] = [
    await storedDamage(tree, inventory),
    await findLeftovers(tree, inventory, clock.now()),
  ];
  const manifests = inventory.repositories.reduce((sum, each) => sum + each.manifests.size, 0);
  const summary = `${counted(manifests, 'manifest')} in ${counted(inventory.repositories.length, 'repository', 'repositories')}`;
  return unchanged(summary, { tree, inventory, damage, leftovers });
}

/** The same without manifests that go first: what only they kept goes with them. */
export async function leaveOut(
  { clock }: Pick<CollectionParts, 'clock'>,
  before: Before,
  manifests: readonly { readonly repository: string; readonly digest: string }[],
): Promise<Before> {
  if (manifests.length === 0) return before;
  const gone = new Set(manifests.map(({ repository, digest }) => `${repository}@${digest}`));
  const repositories = before.inventory.repositories.map((each) => ({
    ...each,
    manifests: new Map([...each.manifests].filter(([digest]) => !gone.has(`${each.name}@${digest}`))),
  }));
  const inventory = { repositories };
  return { ...before, inventory, leftovers: await findLeftovers(before.tree, inventory, clock.now()) };
}

/** What a collection would take away now. Uploads on their way may be in it: a real one lets them end. */
export async function rehearse(
  parts: CollectionParts,
  { tree, inventory }: Before,
  wishes: Wishes,
  report: Report,
): Promise<Done<Collected>> {
  const findings = await runCollector(parts, inventory, ['--dry-run', ...flags(wishes)], report);
  const bytes = await sizeOf(tree, findings.blobs);
  return unchanged('nothing was changed', { ...findings, bytes, freed: undefined });
}

/** Takes away blobs that no manifest names, what is left of repositories without one, and uploads that were given up. */
export async function collect(
  parts: CollectionParts,
  writes: WritesClosed,
  { tree, inventory, leftovers }: Before,
  wishes: Wishes,
  report: Report,
): Promise<Done<Collected>> {
  const { settings, journal } = parts;
  const onDisk = settings.storage.kind === 'filesystem';
  const free = async () => (onDisk ? (await diskOf(settings.registryDataDirectory)).free : 0);
  const leftOver = await foldersToRemove(tree, leftovers);
  const before = await free();
  await journal.reach('collect');
  if (onDisk) await listFolders(parts, [...(wishes.forget ?? []), ...leftOver]);
  else await removeFolders(tree, writes, wishes.forget ?? []);
  writes.expectHeld();
  const findings = await runCollector(parts, inventory, flags(wishes), report);
  // Not before: distribution fails on a bucket that has no repository any more.
  if (!onDisk) await removeFolders(tree, writes, leftOver);
  const freed = onDisk ? (await free()) - before : undefined;
  const value = { ...findings, bytes: freed ?? (await sizeOf(tree, findings.blobs)), freed };
  const summary = inWords(findings, leftovers);
  const gone = findings.blobs.length + leftOver.length;
  return gone === 0 ? unchanged(summary, value) : changed(summary, value);
}

/** What there is after it. */
export async function lookAgain(
  { openTree }: CollectionParts,
  { inventory }: Before,
  { deleteUntagged }: Wishes,
): Promise<Inventory> {
  return deleteUntagged ? readInventory(await openTree()) : inventory;
}

/** On a disk folders belong to the registry's own user, so the collector's container removes them: before it collects. */
async function listFolders({ paths }: CollectionParts, folders: readonly string[]): Promise<void> {
  const list = join(paths.maintenance, `${COLLECTOR}.folders`);
  await writeAtomically(list, folders.map((folder) => `${folder}\n`).join(''), 0o644);
}

async function removeFolders(tree: Tree, writes: WritesClosed, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    writes.expectHeld();
    await tree.remove(`${REPOSITORIES}/${folder}`);
  }
}

async function runCollector(
  parts: CollectionParts,
  { repositories }: Inventory,
  args: readonly string[],
  report: Report,
): Promise<Findings> {
  // distribution fails where there is no folder to walk through.
  if (repositories.length === 0) return { blobs: [], manifests: [] };
  const env = { LEASE_SECONDS: String(LEASE_SECONDS) };
  const { exitCode, output } = await parts.registry.runBeside(['collect', ...args], env, report);
  if (exitCode === 0) return readFindings(output);
  const said = lastLines(output, LAST_LINES);
  throw new Failure(
    'collector-failed',
    `distribution's collector ended with ${exitCode}:\n${said}`,
    'Nothing that an image needs was taken away, and writes are open again. Fix what it reports, then run this again.',
  );
}

function flags({ deleteUntagged }: Wishes): readonly string[] {
  return deleteUntagged ? ['--delete-untagged'] : [];
}

async function sizeOf(tree: Tree, digests: readonly string[]): Promise<number> {
  const sizes = await atOnce(AT_ONCE, digests, async (digest) => {
    const hex = sha256Hex(digest);
    return hex === undefined ? 0 : ((await tree.facts(blobPath(hex)))?.bytes ?? 0);
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function inWords({ blobs, manifests }: Findings, { repositories, uploads }: Leftovers): string {
  const parts = [
    counted(blobs.length, 'blob'),
    ...(manifests.length > 0 ? [counted(manifests.length, 'untagged manifest')] : []),
    ...(repositories.length > 0
      ? [counted(repositories.length, 'empty repository', 'empty repositories')]
      : []),
    ...(uploads.length > 0 ? [counted(uploads.length, 'abandoned upload')] : []),
  ];
  return new Intl.ListFormat('en-GB').format(parts);
}
