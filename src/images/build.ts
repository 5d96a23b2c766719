import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { PINNED } from '../settings/schema.ts';
import type { ImageRole, Program } from '../settings/settings.ts';
import type { Report } from '../step.ts';
import type { Run } from '../system/processes.ts';
import { BASE_IMAGE, BUILT, CHECKOUT_LABEL, SOURCE_LABEL } from './catalog.ts';
import { readContext } from './context.ts';
import { withDebianRoot } from './debian.ts';

export interface Workshop {
  readonly engine: Engine;
  readonly run: Run;
  readonly paths: Paths;
  /** Makes sure that debootstrap is there; asks before it installs anything. */
  readonly ensureDebootstrap: (report: Report) => Promise<void>;
  /**
   * For build steps that download: Docker's predefined build arguments, which leave no trace in an image or its history
   * (Dockerfile reference, "Predefined ARGs").
   */
  readonly proxy?: Readonly<Record<string, string>>;
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

/** What a build of a role's image would make, and whether it is here already. */
export async function lookAtImage(workshop: Workshop, role: ImageRole): Promise<Look> {
  const base = (await workshop.engine.images.inspect(BASE_IMAGE))?.id ?? '';
  const { present } = await identify(workshop, {
    folder: role,
    reference: () => BUILT[role],
    buildArgs: {},
    base,
  });
  return { name: BUILT[role], present };
}

interface Look {
  readonly name: string;
  readonly present: boolean;
}

/**
 * What a build of a program would make, and whether it is here already.
 * @param node the id of Node's image, where it is not the one that is here
 */
export async function lookAtProgram(
  workshop: Workshop,
  program: Program,
  nodeImage: string,
  node?: string,
): Promise<Look> {
  const recipe = await programRecipe(workshop, program, nodeImage);
  const { name, present } = await identify(workshop, node === undefined ? recipe : { ...recipe, base: node });
  return { name, present };
}

/** Brings the packages of the base up to date. Whatever stands on it is built anew by the next that wants it. */
export async function refreshBase({ engine, proxy = {} }: Workshop, report: Report): Promise<void> {
  const steps =
    'apt-get update && apt-get -y upgrade && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb';
  const lines = [`FROM ${BASE_IMAGE}`, 'ARG DEBIAN_FRONTEND=noninteractive', `RUN ${steps}`];
  const archive = pack();
  archive.entry({ name: 'Dockerfile' }, `${lines.join('\n')}\n`);
  archive.finalize();
  const options = { reference: BASE_IMAGE, buildArgs: { ...proxy }, labels: {}, anew: true };
  await engine.images.build(Readable.from(archive), options, (line) => report(`${BASE_IMAGE}: ${line}`));
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
  return build(workshop, await programRecipe(workshop, program, nodeImage), report);
}

async function programRecipe(workshop: Workshop, program: Program, nodeImage: string): Promise<Recipe> {
  const node = await workshop.engine.images.inspect(nodeImage);
  return {
    folder: 'program',
    reference: (source) => `${PINNED[program]}-${source.slice(0, TAG_DIGITS)}`,
    buildArgs: { NODE_IMAGE: nodeImage },
    base: node?.id ?? '',
    target: 'prebuilt',
    labels: { [CHECKOUT_LABEL]: workshop.paths.root },
    extra: await bundle(workshop, program),
  };
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
  readonly labels?: Readonly<Record<string, string>>;
  readonly extra?: Readonly<Record<string, Uint8Array>>;
}

async function identify({ engine, paths }: Workshop, recipe: Recipe) {
  const context = await readContext(join(paths.images, recipe.folder), recipe.extra);
  const source = createHash('sha256').update(`${recipe.base} ${context.digest}`).digest('hex');
  const name = recipe.reference(source);
  const found = await engine.images.inspect(name);
  return { context, source, name, present: found?.labels[SOURCE_LABEL] === source };
}

async function build(workshop: Workshop, recipe: Recipe, report: Report): Promise<Built> {
  const { context, source, name, present } = await identify(workshop, recipe);
  if (present) return { name, fresh: false };
  const { engine, proxy = {} } = workshop;
  report(`building ${name}`);
  const { target } = recipe;
  const buildArgs = { ...proxy, ...recipe.buildArgs };
  const options = { reference: name, buildArgs, labels: { ...recipe.labels, [SOURCE_LABEL]: source } };
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
