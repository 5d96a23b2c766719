import { join } from 'node:path';
import { z } from 'zod';
import { isDenied } from '../../errors.ts';
import {
  blobPath,
  layerLink,
  repositoryFolder,
  revisionsFolder,
  sha256Hex,
  tagLink,
  tagsFolder,
} from '../../inventory/layout.ts';
import { openTree } from '../../inventory/open.ts';
import type { Tree } from '../../inventory/tree.ts';
import type { Paths } from '../../paths.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Clock } from '../../system/clock.ts';
import { ownerToKeep, removeSynced, writeAtomically } from '../../system/files.ts';
import { readAs } from '../../system/json.ts';

/** Removes a path of layout.ts with the registry's own rights. */
export type AsRegistry = (path: string) => Promise<void>;

const noted = z.object({ digests: z.array(z.string()) });

/**
 * What the doctor pushes, written down before it is pushed, so that nothing stays: what a killed run left is taken away
 * by the next one. Its content is random, so nobody else's image can have a part of it.
 */
export class Leavings {
  readonly #file: string;
  readonly #repository: string;
  readonly #open: () => Promise<Tree>;
  readonly #asRegistry: AsRegistry;

  constructor(
    { paths, settings, clock }: { paths: Paths; settings: Settings; clock: Clock },
    repository: string,
    asRegistry: AsRegistry,
  ) {
    this.#file = join(paths.state, 'doctor.json');
    this.#repository = repository;
    this.#open = () => openTree(settings, clock);
    this.#asRegistry = asRegistry;
  }

  async note(digest: string): Promise<void> {
    const digests = [...new Set([...(await this.#read()), digest])];
    await writeAtomically(this.#file, JSON.stringify({ digests }), 0o600, await ownerToKeep(this.#file));
  }

  /**
   * Takes away the blobs that were noted, and the repository unless somebody else has put something there.
   * @throws what kept it from that; the note stays
   */
  async sweep(): Promise<void> {
    const digests = await this.#read();
    if (digests.length === 0) return;
    const tree = await this.#open();
    for (const digest of digests) {
      const hex = sha256Hex(digest);
      if (hex === undefined) continue;
      await this.#remove(tree, parent(layerLink(this.#repository, hex)));
      await this.#remove(tree, `${revisionsFolder(this.#repository)}/${hex}`);
      await this.#remove(tree, parent(blobPath(hex)));
    }
    for (const tag of await tree.list(tagsFolder(this.#repository))) {
      const named = await tree.read(tagLink(this.#repository, tag));
      if (named !== undefined && digests.includes(named.toString()))
        await this.#remove(tree, `${tagsFolder(this.#repository)}/${tag}`);
    }
    const left = await Promise.all(
      [tagsFolder, revisionsFolder, layersFolder].map((folder) => tree.list(folder(this.#repository))),
    );
    if (left.flat().length === 0) await this.#remove(tree, repositoryFolder(this.#repository));
    await removeSynced(this.#file);
  }

  /** The registry writes as root, as a rule; whoever runs this may be somebody else. */
  async #remove(tree: Tree, path: string): Promise<void> {
    try {
      await tree.remove(path);
    } catch (error) {
      if (!isDenied(error)) throw error;
      await this.#asRegistry(path);
    }
  }

  async #read(): Promise<readonly string[]> {
    return (await readAs(this.#file, noted))?.digests ?? [];
  }
}

function layersFolder(repository: string): string {
  return `${repositoryFolder(repository)}/_layers/sha256`;
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
