import { Failure } from '../errors.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { buildImage, buildRenewer, type Workshop } from './build.ts';
import { BUILT } from './catalog.ts';

/** The image that plays each role, as the engine knows it. */
export type ImageNames = Readonly<Partial<Record<ImageRole, string>>>;

type Origin = 'present' | 'pulled' | 'built';

/**
 * Makes sure that the engine has every image the stack needs. With IMAGES=auto they are pulled, and built from Debian
 * packages as soon as it turns out that no image registry answers.
 * @throws Failure `pull-failed`, `registry-unreachable` (IMAGES=pull), `build-failed`
 */
export async function ensureImages(
  settings: Settings,
  workshop: Workshop,
  report: Report,
): Promise<Done<ImageNames>> {
  const roles: ImageRole[] = ['registry', 'nginx', 'node'];
  if (settings.issuer === 'certbot') roles.push('certbot');

  const names: Partial<Record<ImageRole, string>> = {};
  const origins: Origin[] = [];
  let registryAnswers = true;
  for (const role of roles) {
    const choice = { ...settings, images: registryAnswers ? settings.images : 'build' } as const;
    const { name, origin } = await obtain(choice, role, workshop, report);
    names[role] = name;
    origins.push(origin);
    if (name === BUILT[role]) registryAnswers = false; // spare the next roles the wait for an answer
  }
  origins.push((await buildRenewer(workshop, names.node ?? '', report)) ? 'built' : 'present');

  return conclude(names, origins);
}

type Choice = Pick<Settings, 'images' | 'chosenImages' | 'builtImages'>;

async function obtain(
  { images, chosenImages, builtImages }: Choice,
  role: ImageRole,
  workshop: Workshop,
  report: Report,
): Promise<{ name: string; origin: Origin }> {
  const chosen = chosenImages[role];
  if (chosen !== undefined) return pull(workshop, chosen, report);
  const built = async () => {
    const fresh = await buildImage(workshop, role, report);
    return { name: BUILT[role], origin: fresh ? 'built' : 'present' } as const;
  };
  if (images === 'build' || (images === 'auto' && builtImages[role] !== undefined)) return built();
  try {
    return await pull(workshop, PINNED[role], report);
  } catch (error) {
    if (images === 'pull' || !(error instanceof Failure) || error.code !== 'registry-unreachable')
      throw error;
    report('no image registry answers: building from Debian packages');
    return built();
  }
}

async function pull(
  { engine }: Workshop,
  reference: string,
  report: Report,
): Promise<{ name: string; origin: Origin }> {
  if ((await engine.images.inspect(reference)) !== undefined) return { name: reference, origin: 'present' };
  report(`pulling ${reference}`);
  await engine.images.pull(reference, report);
  return { name: reference, origin: 'pulled' };
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
