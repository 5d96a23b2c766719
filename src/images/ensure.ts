import { Failure } from '../errors.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Program, Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { buildImage, buildProgram, ensureBase, type Workshop } from './build.ts';
import { BUILT } from './catalog.ts';

/** The image that plays each role, as the engine knows it. */
export type ImageNames = Readonly<Partial<Record<ImageRole | Program, string>>>;

type Origin = 'present' | 'pulled' | 'built';

interface Obtained {
  readonly role: ImageRole;
  readonly name: string;
  readonly origin: Origin;
}

/**
 * Makes sure that the engine has every image the stack needs. With IMAGES=auto they are pulled, and built from Debian
 * packages as soon as it turns out that no image registry answers.
 * @param again what is pulled although it is here: there may be something newer under its name
 * @throws Failure `pull-failed`, `registry-unreachable` (IMAGES=pull), `build-failed`
 */
export async function ensureImages(
  settings: Settings,
  workshop: Workshop,
  report: Report,
  again: ReadonlySet<ImageRole> = new Set(),
): Promise<Done<ImageNames>> {
  const roles: [ImageRole, ...ImageRole[]] = ['registry', 'nginx', 'node'];
  if (settings.issuer === 'certbot') roles.push('certbot');
  if (settings.cache.kind === 'stack') roles.push('redis');
  if (settings.monitoring !== undefined) roles.push('prometheus');

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
  const [firstRole, ...otherRoles] = roles;
  const first = await obtain(settings, firstRole, yard, report);
  const onlyBuilt = settings.images === 'auto' && first.name === BUILT[firstRole];
  const choice: Choice = { ...settings, images: onlyBuilt ? 'build' : settings.images };
  const others = await Promise.all(otherRoles.map((role) => obtain(choice, role, yard, report)));

  const obtained = [first, ...others];
  const pulled: Partial<Record<ImageRole, string>> = Object.fromEntries(
    obtained.map(({ role, name }) => [role, name]),
  );
  const programs: Program[] = [
    'renewer',
    ...(settings.auth.by === 'gate' ? (['gate'] as const) : []),
    ...(settings.mirror === undefined ? [] : (['relay'] as const)),
    ...(settings.monitoring === undefined ? [] : (['exporter'] as const)),
  ];
  const made = await Promise.all(
    programs.map(async (program) => {
      const { name, fresh } = await buildProgram(workshop, program, pulled.node ?? '', report);
      return { role: program, name, origin: fresh ? ('built' as const) : ('present' as const) };
    }),
  );
  const all = [...obtained, ...made];
  const names: ImageNames = Object.fromEntries(all.map(({ role, name }) => [role, name]));
  const origins = all.map(({ origin }) => origin);

  return conclude(names, origins);
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
  if (images === 'build' || (images === 'auto' && builtImages[role] !== undefined)) return built();
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

function conclude(names: ImageNames, origins: readonly Origin[]): Done<ImageNames> {
  const count = (origin: Origin) => origins.filter((each) => each === origin).length;
  const made = [
    count('pulled') > 0 ? `${count('pulled')} pulled` : '',
    count('built') > 0 ? `${count('built')} built` : '',
    count('present') > 0 ? `${count('present')} present` : '',
  ].filter(Boolean);
  const summary = made.join(', ');
  return count('present') === origins.length ? unchanged(summary, names) : changed(summary, names);
}
