import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole } from '../settings/settings.ts';
import type { Report } from '../step.ts';
import type { Run } from '../system/processes.ts';
import { BASE_IMAGE, BUILT, SOURCE_LABEL } from './catalog.ts';
import { readContext } from './context.ts';
import { withDebianRoot } from './debian.ts';

export interface Workshop {
  readonly engine: Engine;
  readonly run: Run;
  readonly paths: Paths;
  /** Makes sure that debootstrap is there; asks before it installs anything. */
  readonly ensureDebootstrap: (report: Report) => Promise<void>;
}

/** Builds one role's image from Debian packages, unless the engine has just that. */
export async function buildImage(
  workshop: Workshop,
  role: ImageRole,
  ensureBase: () => Promise<string>,
  report: Report,
): Promise<boolean> {
  const base = await ensureBase();
  return build(workshop, { role, reference: BUILT[role], buildArgs: { BASE: BASE_IMAGE }, base }, report);
}

/** Builds the renewer: one bundled file on top of Node. */
export async function buildRenewer(workshop: Workshop, nodeImage: string, report: Report): Promise<boolean> {
  const { engine, paths, run } = workshop;
  const output = join(paths.state, 'renewer/daemon.mjs');
  const bundled = await run(process.execPath, [join(paths.root, 'scripts/bundle.mjs'), output], {
    cwd: paths.root,
  });
  if (bundled.exitCode !== 0) {
    throw new Failure(
      'build-failed',
      `The renewer could not be bundled:\n${bundled.stderr}`,
      'Run this again.',
    );
  }
  const node = await engine.images.inspect(nodeImage);
  return build(
    workshop,
    {
      role: 'renewer',
      reference: PINNED.renewer,
      buildArgs: { NODE_IMAGE: nodeImage },
      base: node?.id ?? '',
      target: 'prebuilt',
      extra: { 'daemon.mjs': await readFile(output) },
    },
    report,
  );
}

interface Recipe {
  /** The folder under `images/`. */
  readonly role: ImageRole | 'renewer';
  readonly reference: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Id of the image that this one stands on. */
  readonly base: string;
  readonly target?: string;
  readonly extra?: Readonly<Record<string, Uint8Array>>;
}

async function build({ engine, paths }: Workshop, recipe: Recipe, report: Report): Promise<boolean> {
  const context = await readContext(join(paths.images, recipe.role), recipe.extra);
  const source = createHash('sha256').update(`${recipe.base} ${context.digest}`).digest('hex');
  const present = await engine.images.inspect(recipe.reference);
  if (present?.labels[SOURCE_LABEL] === source) return false;
  report(`building ${recipe.reference}`);
  const { reference, buildArgs, target } = recipe;
  const options = { reference, buildArgs, labels: { [SOURCE_LABEL]: source } };
  await engine.images.build(context.tar(), target === undefined ? options : { ...options, target }, (line) =>
    report(`${reference}: ${line}`),
  );
  return true;
}

/** The id of the minimal Debian that the other images stand on. */
export async function ensureBase(workshop: Workshop, report: Report): Promise<string> {
  const { images } = workshop.engine;
  const present = await images.inspect(BASE_IMAGE);
  if (present !== undefined) return present.id;
  await workshop.ensureDebootstrap(report);
  await withDebianRoot({ run: workshop.run, root: workshop.paths.root }, report, async (tar) => {
    await images.importRoot(tar, BASE_IMAGE, {});
  });
  return (await images.inspect(BASE_IMAGE))?.id ?? '';
}
