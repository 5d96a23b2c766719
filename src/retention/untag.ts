import { systemCode } from '../errors.ts';
import type { Tag } from '../inventory/inventory.ts';
import { repositoryFolder, revisionLink, sha256Hex, tagLink, tagsFolder } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';

/** A folder in which tags can be moved in one step. */
export type MovingTree = Tree & Required<Pick<Tree, 'move'>>;

export function canMove(tree: Tree): tree is MovingTree {
  return tree.move !== undefined;
}

/** What a tag was planned to be. */
export type Planned = Pick<Tag, 'name' | 'digest' | 'pushed'>;

/**
 * Takes a tag out of the way in one step, beside distribution's own folders: it looks at none that begins with an
 * underscore. One that is no longer as planned comes back at once.
 * @returns whether it is out of the way
 */
export async function setAside(tree: MovingTree, repository: string, tag: Planned): Promise<boolean> {
  const aside = asideFolder(repository, tag.name);
  if (!(await tree.move(tagFolder(repository, tag.name), aside))) return false;
  if (await isAsPlanned(tree, `${aside}/current/link`, tag)) return true;
  await bringBack(tree, repository, tag.name);
  return false;
}

/**
 * Removes what was set aside, if it is still as planned: distribution writes links in place, and may have had this one
 * open when it was moved.
 * @returns whether it is removed; else it is back
 */
export async function drop(tree: MovingTree, repository: string, tag: Planned): Promise<boolean> {
  if (await isAsPlanned(tree, `${asideFolder(repository, tag.name)}/current/link`, tag)) {
    await tree.remove(asideFolder(repository, tag.name));
    return true;
  }
  await bringBack(tree, repository, tag.name);
  return false;
}

/** Puts back what was set aside, unless the tag was pushed anew since: that push is the later one. */
export async function bringBack(tree: MovingTree, repository: string, tag: string): Promise<boolean> {
  const aside = asideFolder(repository, tag);
  const back = await moveTo(tree, aside, tagFolder(repository, tag));
  if (!back) await tree.remove(aside);
  return back;
}

/** The tags that a run left aside that was killed. */
export async function leftAside(tree: Tree, repository: string): Promise<readonly string[]> {
  return tree.list(`${repositoryFolder(repository)}/${ASIDE}`);
}

/** Whether a link names the digest, and was not written again since. */
export async function isAsPlanned(
  tree: Tree,
  link: string,
  { digest, pushed }: Pick<Planned, 'digest' | 'pushed'>,
): Promise<boolean> {
  const [content, facts] = [await tree.read(link), await tree.facts(link)];
  return content?.toString() === digest && facts?.written.getTime() === pushed.getTime();
}

/** What came of a tag that was to be brought back. */
export type Return = 'back' | 'pushed-anew' | 'collected';

/** Writes a tag as distribution does, with its former time of push where a time can be set. A new one is never overwritten. */
export async function retag(tree: Tree, repository: string, tag: Planned): Promise<Return> {
  const hex = sha256Hex(tag.digest);
  if (hex === undefined || (await tree.facts(revisionLink(repository, hex))) === undefined)
    return 'collected';
  const folder = tagFolder(repository, tag.name);
  if ((await tree.read(tagLink(repository, tag.name))) !== undefined) return 'pushed-anew';
  if (!canMove(tree)) {
    await writeTag(tree, folder, tag, hex);
    return 'back';
  }
  const aside = asideFolder(repository, tag.name);
  await tree.remove(aside);
  await writeTag(tree, aside, tag, hex);
  return (await bringBack(tree, repository, tag.name)) ? 'back' : 'pushed-anew';
}

async function writeTag(tree: Tree, folder: string, { digest, pushed }: Planned, hex: string): Promise<void> {
  for (const link of [`${folder}/index/sha256/${hex}/link`, `${folder}/current/link`]) {
    await tree.write(link, Buffer.from(digest));
    await tree.date?.(link, pushed);
  }
}

const ASIDE = '_moorage';

function asideFolder(repository: string, tag: string): string {
  return `${repositoryFolder(repository)}/${ASIDE}/${tag}`;
}

export function asideLink(repository: string, tag: string): string {
  return `${asideFolder(repository, tag)}/current/link`;
}

export function tagFolder(repository: string, tag: string): string {
  return `${tagsFolder(repository)}/${tag}`;
}

/** `false` where there is something already. */
async function moveTo(tree: MovingTree, from: string, to: string): Promise<boolean> {
  try {
    return await tree.move(from, to);
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
