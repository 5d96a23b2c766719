import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Program } from '../settings/settings.ts';
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

/** An image, and whether it had to be built for that. */
export interface Built {
  readonly name: string;
  readonly fresh: boolean;
}

const TAG_DIGITS = 12;

/** Builds one role's image from Debian packages, unless the engine has just that. */
export async function buildImage(
  workshop: Workshop,
  role: ImageRole,
  ensureBase: () => Promise<string>,
  report: Report,
): Promise<Built> {
  const base = await ensureBase();
  const reference = () => BUILT[role];
  return build(workshop, { folder: role, reference, buildArgs: { BASE: BASE_IMAGE }, base }, report);
}

/**
 * Builds one of our own programs: what is bundled of it, on top of Node. Its tag says what it was built from, so that
 * two checkouts on one machine do not take each other's.
 */
export async function buildProgram(
  workshop: Workshop,
  program: Program,
  nodeImage: string,
  report: Report,
): Promise<Built> {
  const node = await workshop.engine.images.inspect(nodeImage);
  return build(
    workshop,
    {
      folder: 'program',
      reference: (source) => `${PINNED[program]}-${source.slice(0, TAG_DIGITS)}`,
      buildArgs: { NODE_IMAGE: nodeImage },
      base: node?.id ?? '',
      target: 'prebuilt',
      extra: await bundle(workshop, program),
    },
    report,
  );
}

/** The files of a program, by name. */
async function bundle({ paths, run }: Workshop, program: Program): Promise<Record<string, Uint8Array>> {
  const folder = join(paths.state, 'bundles', program);
  await rm(folder, { recursive: true, force: true });
  const script = join(paths.root, 'scripts/bundle.mjs');
  const bundled = await run(process.execPath, [script, program, folder], { cwd: paths.root });
  if (bundled.exitCode !== 0) {
    throw new Failure(
      'build-failed',
      `The ${program} could not be bundled:\n${bundled.stderr}`,
      'Run this again.',
    );
  }
  const names = (await readdir(folder)).sort();
  const read = async (name: string) => [name, await readFile(join(folder, name))] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

interface Recipe {
  /** Under `images/`. */
  readonly folder: ImageRole | 'program';
  /** By the digest of what it is built from. */
  readonly reference: (source: string) => string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Id of the image that this one stands on. */
  readonly base: string;
  readonly target?: string;
  readonly extra?: Readonly<Record<string, Uint8Array>>;
}

async function build({ engine, paths }: Workshop, recipe: Recipe, report: Report): Promise<Built> {
  const context = await readContext(join(paths.images, recipe.folder), recipe.extra);
  const source = createHash('sha256').update(`${recipe.base} ${context.digest}`).digest('hex');
  const name = recipe.reference(source);
  const present = await engine.images.inspect(name);
  if (present?.labels[SOURCE_LABEL] === source) return { name, fresh: false };
  report(`building ${name}`);
  const { buildArgs, target } = recipe;
  const options = { reference: name, buildArgs, labels: { [SOURCE_LABEL]: source } };
  await engine.images.build(context.tar(), target === undefined ? options : { ...options, target }, (line) =>
    report(`${name}: ${line}`),
  );
  return { name, fresh: true };
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
