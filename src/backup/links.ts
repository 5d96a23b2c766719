import { repositoriesBelow } from '../inventory/inventory.ts';
import { repositoryFolder, revisionsFolder, tagLink, tagsFolder } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';
import { atOnce } from '../system/at-once.ts';

/** One of distribution's small files: it says that a repository has something, or what a tag stands for. */
export interface Link {
  /** Below `docker/registry/v2`. */
  readonly path: string;
  readonly digest: string;
  /** When it was written: rules about age go by it. */
  readonly written: Date;
}

const AT_ONCE = 32;
/** distribution empties a link before it writes it again. */
const TRIES = 5;
const DIGEST = /^[a-z0-9]+:[0-9a-f]{32,}$/;

/**
 * The links of all repositories, such that all that a tag needs is among them while pushes and deletions go on. A push
 * writes layers, then the manifest, then its tag; so tags are read first and layers last. A tag whose manifest was
 * deleted meanwhile is left out.
 */
export async function readLinks(tree: Tree): Promise<readonly Link[]> {
  const repositories = await repositoriesBelow(tree, '');
  const links = await atOnce(AT_ONCE, repositories.sort(), (name) => linksOf(tree, name));
  return links.flat();
}

async function linksOf(tree: Tree, repository: string): Promise<readonly Link[]> {
  const tags = [];
  for (const tag of await tree.list(tagsFolder(repository))) {
    const current = await readLink(tree, tagLink(repository, tag));
    if (current === undefined) continue; // removed just now
    const history = await linksIn(tree, `${tagsFolder(repository)}/${tag}/index`);
    tags.push({ digest: current.digest, links: [current, ...history] });
  }
  const revisions = await linksIn(tree, revisionsFolder(repository).replace(/\/sha256$/, ''));
  const layers = await linksIn(tree, `${repositoryFolder(repository)}/_layers`);
  const kept = new Set(revisions.map(({ digest }) => digest));
  const whole = tags.filter(({ digest }) => kept.has(digest));
  return [...whole.flatMap(({ links }) => links), ...revisions, ...layers];
}

/** `FOLDER/ALGORITHM/HEX/link`. What was deleted has a folder without one. */
async function linksIn(tree: Tree, folder: string): Promise<readonly Link[]> {
  const links: Link[] = [];
  for (const algorithm of await tree.list(folder)) {
    const names = [...(await tree.list(`${folder}/${algorithm}`))].sort();
    for (const hex of names) {
      const link = await readLink(tree, `${folder}/${algorithm}/${hex}/link`);
      if (link !== undefined) links.push(link);
    }
  }
  return links;
}

async function readLink(tree: Tree, path: string): Promise<Link | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const content = await tree.read(path);
    const facts = await tree.facts(path);
    if (content === undefined || facts === undefined) return undefined;
    const digest = content.toString().trim();
    if (DIGEST.test(digest)) return { path, digest, written: facts.written };
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined; // damaged: distribution can't read it either
}
