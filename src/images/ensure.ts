import { Failure } from '../errors.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Program, Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { buildImage, buildProgram, ensureBase, type Workshop } from './build.ts';
import { BUILT, BUILT_PREFIX } from './catalog.ts';
import { obtainFromArchive } from './from-archive.ts';
import { type Needs, needsOf } from './needs.ts';
import type { Obtained, ObtainedProgram, Origin } from './obtained.ts';

/** The image that plays each role, as the engine knows it. */
export type ImageNames = Readonly<Partial<Record<ImageRole | Program, string>>>;

/**
 * Makes sure that the engine has every image the stack needs. With IMAGES=auto they are pulled, and built from Debian
 * packages as soon as it turns out that no image registry answers; with IMAGES=load they come from an archive alone.
 * @param again what is pulled although it is here: there may be something newer under its name
 * @param needs what images are wanted for, where it is not for a stack with these settings
 * @throws Failure `pull-failed`, `registry-unreachable` (IMAGES=pull), `build-failed`; as `obtainFromArchive`
 */
export async function ensureImages(
  settings: Settings,
  workshop: Workshop,
  report: Report,
  again: ReadonlySet<ImageRole> = new Set(),
  needs: Needs = needsOf(settings),
): Promise<Done<ImageNames>> {
  if (settings.images === 'load') return conclude(await obtainFromArchive(settings, workshop, needs, report));
  let base: Promise<string> | undefined;
  const yard = {
    ...workshop,
    again,
    base: () => {
      base ??= ensureBase(workshop, report); // for all of them together
      return base;
    },
  };
  // The first one finds out whether an image registry answers; the others go the same way, side by side.
  const [firstRole, ...otherRoles] = needs.roles;
  const first = await obtain(settings, firstRole, yard, report);
  const onlyBuilt = settings.images === 'auto' && first.name === BUILT[firstRole];
  const choice: Choice = { ...settings, images: onlyBuilt ? 'build' : settings.images };
  const others = await Promise.all(otherRoles.map((role) => obtain(choice, role, yard, report)));

  const obtained = [first, ...others];
  const node = obtained.find(({ role }) => role === 'node')?.name ?? '';
  const made = await Promise.all(
    needs.programs.map(async (program): Promise<ObtainedProgram> => {
      const { name, fresh } = await buildProgram(workshop, program, node, report);
      return { role: program, name, origin: fresh ? 'built' : 'present' };
    }),
  );
  return conclude([...obtained, ...made]);
}

interface Yard extends Workshop {
  /** Makes the base of all built images, once; answers its id. */
  readonly base: () => Promise<string>;
  readonly again: ReadonlySet<ImageRole>;
}

type Choice = Pick<Settings, 'images' | 'chosenImages' | 'builtImages'>;

async function obtain(
  { images, chosenImages, builtImages }: Choice,
  role: ImageRole,
  yard: Yard,
  report: Report,
): Promise<Obtained> {
  const chosen = chosenImages[role];
  if (chosen !== undefined) return pull(yard, role, chosen, report);
  const built = async () => {
    const { name, fresh } = await buildImage(yard, role, yard.base, report);
    return { role, name, origin: fresh ? 'built' : 'present' } as const;
  };
  if (images === 'build' || (images === 'auto' && builtImages[role]?.startsWith(BUILT_PREFIX) === true))
    return built();
  try {
    return await pull(yard, role, PINNED[role], report);
  } catch (error) {
    if (images === 'pull' || !(error instanceof Failure) || error.code !== 'registry-unreachable')
      throw error;
    report('no image registry answers: building from Debian packages');
    return built();
  }
}

async function pull(
  { engine, again }: Yard,
  role: ImageRole,
  reference: string,
  report: Report,
): Promise<Obtained> {
  const before = await engine.images.inspect(reference);
  if (before !== undefined && !again.has(role)) return { role, name: reference, origin: 'present' };
  report(`pulling ${reference}`);
  await engine.images.pull(reference, report);
  const after = await engine.images.inspect(reference);
  return { role, name: reference, origin: after?.id === before?.id ? 'present' : 'pulled' };
}

function conclude(all: readonly (Obtained | ObtainedProgram)[]): Done<ImageNames> {
  const names: ImageNames = Object.fromEntries(all.map(({ role, name }) => [role, name]));
  const count = (origin: Origin) => all.filter((each) => each.origin === origin).length;
  const origins = ['pulled', 'loaded', 'built', 'present'] as const;
  const summary = origins
    .flatMap((origin) => (count(origin) > 0 ? [`${count(origin)} ${origin}`] : []))
    .join(', ');
  return count('present') === all.length ? unchanged(summary, names) : changed(summary, names);
}
