import type { Program, Settings } from '../settings/settings.ts';
import type { Report } from '../step.ts';
import type { ArchiveList, Listed } from './archive-list.ts';
import { buildProgram, lookAtProgram, type Workshop } from './build.ts';
import { type Archived, candidates, chooseArchived } from './choose-archived.ts';
import { expectArchitecture, loadImages, missingOf } from './load-archive.ts';
import type { Needs } from './needs.ts';
import type { Obtained, ObtainedProgram } from './obtained.ts';
import { openArchive } from './read-archive.ts';

type Wishes = Pick<Settings, 'chosenImages' | 'builtImages' | 'imagesFile'>;

/**
 * Has all images without a network: those that are missing come from the archive. Where all are here only its list is read.
 * Programs that the archive has not for this very checkout are made of Node's image, which takes no network either.
 * @throws Failure `images-missing`, and as `loadImages`
 */
export async function obtainFromArchive(
  settings: Wishes,
  workshop: Workshop,
  { roles, programs }: Needs,
  report: Report,
): Promise<readonly (Obtained | ObtainedProgram)[]> {
  const { engine } = workshop;
  const { archive, chosen, missing } = await lookIntoArchive(settings, workshop, roles);
  const node = chosen.find(({ role }) => role === 'node');
  const own = archive === undefined ? [] : await ownOf(workshop, archive.list, programs, node);
  const toLoad = [...missing, ...own];
  if (archive !== undefined && toLoad.length > 0) await loadImages(engine, archive, toLoad, report);

  const obtained = chosen.map(({ role, reference, listed }): Obtained => {
    const fresh = listed !== undefined && missing.includes(listed);
    return { role, name: reference, origin: fresh ? 'loaded' : 'present' };
  });
  const made = await Promise.all(
    programs.map(async (program): Promise<ObtainedProgram> => {
      const { name, fresh } = await buildProgram(workshop, program, node?.reference ?? '', report);
      const loaded = own.some(({ reference }) => reference === name);
      return { role: program, name, origin: fresh ? 'built' : loaded ? 'loaded' : 'present' };
    }),
  );
  return [...obtained, ...made];
}

/** What is to play each role, and what of it has to be loaded; nothing is changed. */
export async function lookIntoArchive(
  settings: Wishes,
  { engine }: Pick<Workshop, 'engine'>,
  roles: Needs['roles'],
) {
  const archive = await openArchive(settings.imagesFile);
  const names = roles.flatMap((role) => candidates(settings, role));
  const found = await Promise.all(
    names.map(async (name) => ((await engine.images.inspect(name)) === undefined ? [] : [name])),
  );
  const here = new Set(found.flat());
  const chosen = chooseArchived(settings, roles, archive?.list, (name) => here.has(name));
  const missing = await missingOf(
    engine,
    chosen.flatMap(({ listed }) => listed ?? []),
  );
  if (archive !== undefined && missing.length > 0)
    expectArchitecture(archive, (await engine.machine()).architecture);
  return { archive, chosen, missing };
}

/** The programs in an archive that are missing here and are just what this checkout would make. */
async function ownOf(
  workshop: Workshop,
  { images }: ArchiveList,
  programs: readonly Program[],
  node: Archived | undefined,
): Promise<readonly Listed[]> {
  const listed = images.filter(({ role }) => programs.some((program) => program === role));
  const missing = await missingOf(workshop.engine, listed);
  const fitting = await Promise.all(
    missing.map(async (each) => {
      const program = programs.find((one) => one === each.role);
      if (program === undefined || node === undefined) return [];
      const { name } = await lookAtProgram(workshop, program, node.reference, node.listed?.id);
      return name === each.reference ? [each] : [];
    }),
  );
  return fitting.flat();
}
