import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { counted } from '../counted.ts';
import { FolderTree } from '../inventory/folder-tree.ts';
import { readInventory } from '../inventory/inventory.ts';
import { onDisk } from '../inventory/layout.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ABOUT, type About } from './about.ts';
import { incomplete } from './completeness.ts';
import { copyKept } from './kept-files.ts';
import { readLinks } from './links.ts';
import { LINKS_ARCHIVE, writeLinks } from './links-archive.ts';

/** What restic is to take, as it will stand in the snapshot. */
export interface Aside {
  readonly folder: string;
  /** Paths in `folder`. */
  readonly targets: readonly string[];
  readonly about: About;
}

export const SETTINGS = 'settings';
export const BLOBS = 'images/docker/registry/v2/blobs';

interface Parts {
  readonly paths: Paths;
  readonly clock: Clock;
}

/**
 * Copies links and settings as they are in this moment; blobs never change and are read where they are, by a link to
 * their folder. What the links name is there before them, so whatever restic reads later is enough.
 */
export async function setAside(
  { paths, clock }: Parts,
  settings: Settings,
  report: Report,
): Promise<Done<Aside>> {
  const folder = asideFolder(paths);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyKept(paths.root, join(folder, SETTINGS));
  const images = settings.storage.kind === 'filesystem' ? settings.registryDataDirectory : undefined;
  const found = images === undefined ? undefined : await imagesAside(folder, images, report);
  const about: About = {
    format: 1,
    registry: settings.domain,
    made: clock.now(),
    ...(images === undefined ? {} : { dataDirectory: images }),
    ...(found?.counts ?? { repositories: 0, tags: 0, manifests: 0, incomplete: [] }),
  };
  await writeFile(join(folder, ABOUT), `${JSON.stringify(about, null, 2)}\n`, { mode: 0o600 });
  const targets = [ABOUT, SETTINGS, ...(found?.targets ?? [])];
  return changed(inWords(about), { folder, targets, about });
}

export async function removeAside(paths: Paths): Promise<void> {
  await rm(asideFolder(paths), { recursive: true, force: true });
}

async function imagesAside(folder: string, data: string, report: Report) {
  const tree = new FolderTree(data);
  report('reading links');
  const links = await readLinks(tree);
  await mkdir(dirname(join(folder, BLOBS)), { recursive: true }); // restored with their modes: nginx has to read them
  await writeLinks(join(folder, LINKS_ARCHIVE), links);
  report('looking whether all is there');
  const inventory = await readInventory(tree);
  const lacking = await incomplete(tree, inventory);
  const blobs = onDisk(data, 'blobs');
  const algorithms = await readdir(blobs).catch(() => []);
  await symlink(blobs, join(folder, BLOBS));
  const repositories = inventory.repositories.filter(({ manifests }) => manifests.size > 0);
  const sum = (count: (repository: (typeof repositories)[number]) => number) =>
    repositories.reduce((total, each) => total + count(each), 0);
  return {
    // A folder that is reached over a link is taken as one; the link itself would be taken as a link.
    targets: [LINKS_ARCHIVE, ...algorithms.map((name) => `${BLOBS}/${name}`)],
    counts: {
      repositories: repositories.length,
      tags: sum(({ tags }) => tags.length),
      manifests: sum(({ manifests }) => manifests.size),
      incomplete: [...lacking],
    },
  };
}

function asideFolder({ backups }: Paths): string {
  return join(backups, 'aside');
}

function inWords({ dataDirectory, repositories, tags, incomplete: lacking }: About): string {
  if (dataDirectory === undefined) return 'settings alone';
  const hurt =
    lacking.length === 0
      ? ''
      : `; ${lacking.length} OF THE REGISTRY’S MANIFESTS LACK SOMETHING: ${lacking.slice(0, 3).join(', ')}`;
  return `${counted(repositories, 'repository', 'repositories')}, ${counted(tags, 'tag')}${hurt}`;
}
