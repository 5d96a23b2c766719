import { join } from 'node:path';
import type { ImageFacts } from '../engine/engine.ts';
import { lookAtImage, lookAtProgram, type Workshop } from '../images/build.ts';
import { BASE_IMAGE, BUILT, BUILT_PREFIX } from '../images/catalog.ts';
import { lookIntoArchive } from '../images/from-archive.ts';
import { needsOf } from '../images/needs.ts';
import { type NewerPackage, newerPackages } from '../images/newer-packages.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Program, Settings } from '../settings/settings.ts';
import type { WantedImage } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { versionOf } from './versions.ts';

export interface Wishes {
  readonly images: ReadonlyMap<ImageRole | Program, WantedImage>;
  /** Whether Debian has newer packages than what was built here. */
  readonly refresh: boolean;
  /** What the image registry has something newer of, under the same name. */
  readonly again: ReadonlySet<ImageRole>;
  /** What could not be found out. */
  readonly unknown: readonly string[];
}

/** What each role is to run on by the settings, and whether there is something newer; nothing is changed. */
export async function lookForWanted(settings: Settings, workshop: Workshop): Promise<Wishes> {
  const { roles, programs } = needsOf(settings);
  const archived = settings.images === 'load' ? await lookIntoArchive(settings, workshop, roles) : undefined;
  const built = roles.filter((role) => isBuilt(settings, role));
  const packages = await packagesOf(workshop, built);
  const found = await Promise.all(
    roles.map(async (role) => {
      if (archived !== undefined) return [role, await lookAtArchived(workshop, role, archived)] as const;
      if (built.includes(role))
        return [role, await lookAtBuilt(workshop, role, packages?.get(BUILT[role]) ?? [])] as const;
      return [role, await lookAtNamed(workshop, role, settings.chosenImages[role])] as const;
    }),
  );
  // All that stands on the base is built anew with it.
  const refresh = [...(packages?.values() ?? [])].some((newer) => newer.length > 0);
  const images = new Map<ImageRole | Program, WantedImage>(found);
  for (const program of programs) images.set(program, await lookAtOwn(workshop, program, images.get('node')));
  const again = found.flatMap(([role, { newer, by }]) => (newer && by !== 'build' ? [role] : []));
  const unknown = built.length > 0 && packages === undefined ? ['no Debian mirror answers'] : [];
  return { images, refresh, again: new Set(again), unknown };
}

/** Whether it is built from Debian packages, as `ensureImages` decides it. */
function isBuilt({ images, chosenImages, builtImages }: Settings, role: ImageRole): boolean {
  if (chosenImages[role] !== undefined) return false;
  return images === 'build' || (images === 'auto' && builtImages[role]?.startsWith(BUILT_PREFIX) === true);
}

async function packagesOf({ engine, paths }: Workshop, roles: readonly ImageRole[]) {
  const names = roles.map((role) => BUILT[role]);
  const here = await Promise.all([BASE_IMAGE, ...names].map((name) => engine.images.inspect(name)));
  if (here[0] === undefined || names.length === 0) return new Map<string, readonly NewerPackage[]>();
  const present = names.filter((_, index) => here[index + 1] !== undefined);
  return newerPackages(engine, present, join(paths.state, 'upgrade'));
}

async function lookAtBuilt(
  workshop: Workshop,
  role: ImageRole,
  newer: readonly NewerPackage[],
): Promise<WantedImage> {
  const { name, present } = await lookAtImage(workshop, role);
  const here = present && newer.length === 0 ? await workshop.engine.images.inspect(name) : undefined;
  const names = newer.slice(0, 3).map((each) => `${each.name} ${each.to}`);
  const more = newer.length > 3 ? ` and ${newer.length - 3} more` : '';
  const why = newer.length > 0 ? `Debian has ${names.join(', ')}${more}` : 'its recipe changed';
  return {
    ...(await known(workshop, role, name, here)),
    by: 'build',
    newer: here === undefined ? why : undefined,
  };
}

async function lookAtNamed(
  workshop: Workshop,
  role: ImageRole,
  chosen: string | undefined,
): Promise<WantedImage> {
  const { images } = workshop.engine;
  const reference = chosen ?? PINNED[role];
  const here = await images.inspect(reference);
  const offered = here === undefined || reference.includes('@') ? undefined : await images.offered(reference);
  const newer = offered !== undefined && here?.repoDigests.every((each) => !each.endsWith(`@${offered}`));
  return {
    ...(await known(workshop, role, reference, newer ? undefined : here)),
    by: chosen === undefined ? 'pin' : 'setting',
    newer: newer ? 'the image registry has a newer one under this tag' : undefined,
  };
}

/** What the archive has tells no version before it is loaded. */
async function lookAtArchived(
  workshop: Workshop,
  role: ImageRole,
  { chosen, missing }: Awaited<ReturnType<typeof lookIntoArchive>>,
): Promise<WantedImage> {
  const found = chosen.find((each) => each.role === role);
  if (found === undefined) throw new Error(`nobody chose an image for ${role}`);
  const { reference, listed } = found;
  const here = await workshop.engine.images.inspect(reference);
  const toLoad = listed !== undefined && missing.includes(listed);
  return {
    ...(await known(workshop, role, reference, toLoad ? undefined : here)),
    by: 'archive',
    newer: toLoad && here !== undefined ? 'the archive has another one under this name' : undefined,
  };
}

async function lookAtOwn(
  workshop: Workshop,
  program: Program,
  node: WantedImage | undefined,
): Promise<WantedImage> {
  const { name, present } = await lookAtProgram(workshop, program, node?.reference ?? '');
  const newNode = node?.id === undefined;
  const here = present && !newNode ? await workshop.engine.images.inspect(name) : undefined;
  return {
    reference: name,
    id: here?.id,
    version: undefined,
    by: 'program',
    newer: newNode ? 'it gets a newer Node' : undefined,
  };
}

async function known({ engine }: Workshop, role: ImageRole, reference: string, here: ImageFacts | undefined) {
  const version = here === undefined ? undefined : await versionOf(engine, reference, role);
  return { reference, id: here?.id, version };
}

/** What ran before the last upgrade. */
export function wishesBack({ images }: Snapshot): Wishes {
  const roles = Object.keys(PINNED) as (ImageRole | Program)[];
  const wanted = roles.flatMap((role): [ImageRole | Program, WantedImage][] => {
    const image = images[role];
    if (image === undefined) return [];
    return [[role, { ...image, version: image.version, by: 'before', newer: undefined }]];
  });
  return { images: new Map(wanted), refresh: false, again: new Set(), unknown: [] };
}
