import type { Inventory } from '../inventory/inventory.ts';
import { REPOSITORIES, repositoryFolder } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';

/**
 * A layer may be on its way for hours over a slow line, and is then written to all the time. No client goes on with an
 * upload that it left a day ago: each begins anew after its tries have failed.
 */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/** Folders below `repositories`. */
export interface Leftovers {
  /** Of repositories without a manifest and without an upload on its way. */
  readonly repositories: readonly string[];
  /** Of uploads that nobody goes on with, elsewhere. */
  readonly uploads: readonly string[];
}

/** What can go besides blobs. To be asked while nobody writes. */
export async function findLeftovers(tree: Tree, inventory: Inventory, now: Date): Promise<Leftovers> {
  const repositories: string[] = [];
  const uploads: string[] = [];
  for (const { name, tags, manifests, damaged } of inventory.repositories) {
    const sessions = await uploadsOf(tree, name, now);
    const abandoned = sessions.filter((each) => each.abandoned).map(({ folder }) => folder);
    const empty = tags.length + manifests.size + damaged.length === 0;
    if (empty && abandoned.length === sessions.length) repositories.push(name);
    else uploads.push(...abandoned);
  }
  return { repositories, uploads };
}

/**
 * The folders to remove: of an empty repository all that is its own, and itself and those above it where nothing else is
 * below them.
 */
export async function foldersToRemove(tree: Tree, { repositories, uploads }: Leftovers): Promise<string[]> {
  const folders = [...uploads];
  const gone = new Set<string>();
  // The deepest first: what is below a folder is decided before it.
  for (const name of [...repositories].sort((one, other) => depth(other) - depth(one))) {
    const below = await tree.list(repositoryFolder(name));
    const stays = below.some((each) => !each.startsWith('_') && !gone.has(`${name}/${each}`));
    if (stays) folders.push(...below.filter((each) => each.startsWith('_')).map((each) => `${name}/${each}`));
    else await leaveOut(tree, name, gone);
  }
  return [...folders, ...[...gone].filter((name) => !gone.has(parentOf(name)))];
}

/** A folder goes with all above it that would be left with nothing. */
async function leaveOut(tree: Tree, name: string, gone: Set<string>): Promise<void> {
  gone.add(name);
  const parent = parentOf(name);
  if (parent === '') return;
  const siblings = await tree.list(`${REPOSITORIES}/${parent}`);
  if (siblings.every((each) => gone.has(`${parent}/${each}`))) await leaveOut(tree, parent, gone);
}

async function uploadsOf(tree: Tree, repository: string, now: Date) {
  const folder = `${repository}/_uploads`;
  const ids = await tree.list(`${REPOSITORIES}/${folder}`);
  return Promise.all(
    ids.map(async (id) => {
      const upload = `${REPOSITORIES}/${folder}/${id}`;
      // Of one that was cancelled distribution leaves the state of its hash.
      const cancelled = (await tree.facts(`${upload}/startedat`)) === undefined;
      const abandoned = cancelled || now.getTime() - (await lastWritten(tree, upload)) > ABANDONED_AFTER;
      return { folder: `${folder}/${id}`, abandoned };
    }),
  );
}

/** Of all files below, the states of their hashes included. */
async function lastWritten(tree: Tree, path: string): Promise<number> {
  const facts = await tree.facts(path);
  if (facts !== undefined) return facts.written.getTime();
  const names = await tree.list(path);
  return Math.max(0, ...(await Promise.all(names.map((name) => lastWritten(tree, `${path}/${name}`)))));
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

function depth(name: string): number {
  return name.split('/').length;
}
