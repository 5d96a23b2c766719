import { atOnce } from '../system/at-once.ts';
import {
  blobPath,
  REPOSITORIES,
  repositoryFolder,
  revisionLink,
  revisionsFolder,
  sha256Hex,
  tagLink,
  tagsFolder,
} from './layout.ts';
import { contentOf, type ManifestContent } from './manifest.ts';
import type { Tree } from './tree.ts';

/** What the registry has, as its files say. */
export interface Inventory {
  readonly repositories: readonly Repository[];
}

export interface Repository {
  readonly name: string;
  readonly tags: readonly Tag[];
  /** By digest, tagged or not. */
  readonly manifests: ReadonlyMap<string, Manifest>;
  /** Digests of manifests that the repository should have, and whose content is missing or is none. */
  readonly damaged: readonly string[];
}

export interface Tag {
  readonly name: string;
  readonly digest: string;
  /** When the tag was last pushed: its link was written then. */
  readonly pushed: Date;
}

export interface Manifest extends ManifestContent {
  readonly digest: string;
  /** When it was pushed to this repository. */
  readonly pushed: Date;
}

/** A bucket answers each small question late; a disk is not asked by several at once. */
const AT_ONCE = 32;

/** Reads the repositories that are wanted, sorted by name; what comes and goes meanwhile may be in it or not. */
export async function readInventory(
  tree: Tree,
  wanted: (repository: string) => boolean = () => true,
): Promise<Inventory> {
  const names = (await repositoriesBelow(tree, '')).filter(wanted).sort();
  const reader = new Reader(tree);
  return { repositories: await atOnce(AT_ONCE, names, (name) => reader.repository(name)) };
}

/** Every folder that a push has made, one without images included. */
export async function repositoriesBelow(tree: Tree, parent: string): Promise<string[]> {
  const names = await tree.list(parent === '' ? REPOSITORIES : repositoryFolder(parent));
  // No name of a repository begins with an underscore, and no repository is without one of these.
  const own = names.some((name) => name.startsWith('_')) && parent !== '' ? [parent] : [];
  const inner = names.filter((name) => !name.startsWith('_'));
  const deeper = await atOnce(AT_ONCE, inner, (name) =>
    repositoriesBelow(tree, parent === '' ? name : `${parent}/${name}`),
  );
  return [...own, ...deeper.flat()];
}

class Reader {
  readonly #tree: Tree;
  /** The same manifest is often in several repositories. */
  readonly #contents = new Map<string, Promise<ManifestContent | undefined>>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  async repository(name: string): Promise<Repository> {
    const [tags, revisions] = await Promise.all([this.#tags(name), this.#revisions(name)]);
    const manifests = new Map<string, Manifest>();
    const damaged: string[] = [];
    for (const { digest, pushed, content } of revisions) {
      if (content === undefined) damaged.push(digest);
      else manifests.set(digest, { digest, pushed, ...content });
    }
    return { name, tags, manifests, damaged };
  }

  async #tags(repository: string): Promise<Tag[]> {
    const names = await this.#tree.list(tagsFolder(repository));
    const tags = await atOnce(AT_ONCE, [...names].sort(), async (name) => {
      const path = tagLink(repository, name);
      const [link, facts] = await Promise.all([this.#tree.read(path), this.#tree.facts(path)]);
      if (link === undefined || facts === undefined) return []; // removed just now
      return [{ name, digest: link.toString(), pushed: facts.written }];
    });
    return tags.flat();
  }

  async #revisions(repository: string) {
    const names = await this.#tree.list(revisionsFolder(repository));
    const revisions = await atOnce(AT_ONCE, names, async (hex) => {
      const facts = await this.#tree.facts(revisionLink(repository, hex));
      if (facts === undefined) return []; // a manifest that was deleted leaves its folder
      const digest = `sha256:${hex}`;
      return [{ digest, pushed: facts.written, content: await this.#content(digest) }];
    });
    return revisions.flat();
  }

  #content(digest: string): Promise<ManifestContent | undefined> {
    const known = this.#contents.get(digest);
    if (known !== undefined) return known;
    const content = this.#read(digest);
    this.#contents.set(digest, content);
    return content;
  }

  async #read(digest: string): Promise<ManifestContent | undefined> {
    const hex = sha256Hex(digest);
    const bytes = hex === undefined ? undefined : await this.#tree.read(blobPath(hex));
    return bytes && contentOf(bytes);
  }
}
