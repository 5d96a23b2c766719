import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { copyKept, filesElsewhere, KEPT } from '../backup/kept-files.ts';
import { counted } from '../counted.ts';
import { Failure, systemCode } from '../errors.ts';
import { type Paths, paths as pathsOf } from '../paths.ts';
import { dropGenerated, withOwn } from '../settings/env-file.ts';
import { gather, settingsElsewhere } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';
import type { Goal } from './course.ts';
import { expectDone, type Far } from './far.ts';

/**
 * What goes along beside images: what a backup has, and what happened. Not the gate's audit log and when tokens were used
 * last, alerts, metrics, the disk's history and the mirror's cache: they are about this machine.
 */
const GOES_ALONG = [...KEPT, 'var/events.jsonl'];

/** Of what init-tls wrote, all else is found out anew there: images, the engine's socket, owners, folders. */
const NOT_FOUND_ANEW = ['REGISTRY_HTTP_SECRET'];

/** Who renews here, a unit or another supervisor, does not come along: a container does it there. */
const NOT_THERE = { RENEWER_REPLICAS: undefined };

type Environment = Readonly<Record<string, string | undefined>>;

/** Users, settings, certificates and accounts as they are to be on the other machine. */
export interface StagedState {
  /** Here; its layout is a checkout's. It has secrets in it. */
  readonly stage: string;
  readonly settings: Settings;
  /** Of the images there; `undefined` where they are in a bucket. */
  readonly data: string | undefined;
  /** Files that the settings name outside of what goes along, here and there. */
  readonly elsewhere: readonly { readonly here: string; readonly there: string }[];
}

/**
 * Copies the state aside, with the settings that the other machine gets.
 * @throws WrongInput for settings that can't be
 */
export async function stageState(
  paths: Paths,
  environment: Environment,
  here: Settings,
  { folder, set }: Goal,
): Promise<StagedState> {
  const stage = stageOf(paths);
  await discardState(paths);
  await mkdir(dirname(stage), { recursive: true });
  await chmod(dirname(stage), 0o700);
  await mkdir(stage, { mode: 0o755 }); // as the folder there will have it
  await mkdir(join(stage, 'registry'), { mode: 0o755 });
  await mkdir(join(stage, 'nginx'), { mode: 0o755 });
  await mkdir(join(stage, 'var'), { mode: 0o755 });
  await copyKept(paths.root, stage);
  await copyFile(paths.events, join(stage, 'var/events.jsonl')).catch((error) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  const envFile = join(stage, '.env');
  const given = await settingsThere(paths, environment, { folder, set });
  const text = withOwn((await readIfExists(paths.envFile)) ?? '', given).text;
  await rm(envFile, { force: true }); // may be a link
  await writeAtomically(envFile, text, 0o600);
  await dropGenerated(envFile, NOT_FOUND_ANEW);

  const there = pathsOf(folder);
  const settings = settingsElsewhere(there, await gather({ ...paths, envFile }, {}));
  const elsewhere = filesElsewhere(paths, here).map((file) => ({
    here: file,
    there: inFolder(paths, folder, file),
  }));
  const data = settings.storage.kind === 'filesystem' ? settings.registryDataDirectory : undefined;
  return { stage, settings, data, elsewhere };
}

/** Nothing secret stays behind. */
export async function discardState(paths: Pick<Paths, 'state'>): Promise<void> {
  await rm(stageOf(paths), { recursive: true, force: true });
}

/** Makes the far checkout's state what is staged; what is not part of it stays as it is there. */
export async function sendState({ host, folder }: Far, { stage, elsewhere }: StagedState): Promise<Done> {
  let files = 0;
  const finished = await host.rsync((far) => [...stateArguments(), `${stage}/`, far(`${folder}/`)], {
    onLine: (line) => {
      if (/^[<>*]/.test(line)) files += 1;
    },
  });
  expectDone(host, 'rsync', finished);
  for (const { here, there } of elsewhere) {
    expectDone(host, 'mkdir', await host.run(['mkdir', '-p', '--', dirname(there)]));
    // One that is there already is that machine's own.
    const copied = await host.rsync((far) => [
      '--archive',
      '--copy-links',
      '--ignore-existing',
      here,
      far(there),
    ]);
    expectDone(host, `rsync of ${here}`, copied);
  }
  const also =
    elsewhere.length === 0 ? '' : `; ${elsewhere.map(({ there }) => there).join(', ')} where missing`;
  if (files === 0) return unchanged(`settings, users, certificates and accounts are there${also}`);
  return changed(`settings, users, certificates and accounts: ${counted(files, 'file')}${also}`);
}

/**
 * The folders above what goes along are named one by one, and all else is left out: so only what belongs to it is
 * removed there when it is not here any more.
 */
function stateArguments(): string[] {
  const above = new Set(GOES_ALONG.flatMap((path) => parents(path)));
  return [
    ...['--archive', '--chown=0:0', '--delete', '--checksum', '--out-format=%i %n'],
    ...['--exclude=*.example', '--exclude=.gitkeep', '--exclude=*.lock'],
    ...[...above].map((folder) => `--include=/${folder}/`),
    ...GOES_ALONG.flatMap((path) => [`--include=/${path}`, `--include=/${path}/***`]),
    '--exclude=*',
  ];
}

function parents(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...parents(parent), parent];
}

/**
 * Settings of the environment are written down: the other machine has another one. What names something in this checkout
 * names the same there.
 */
async function settingsThere(
  paths: Paths,
  environment: Environment,
  { folder, set }: Pick<Goal, 'folder' | 'set'>,
): Promise<Record<string, string | undefined>> {
  const [all, file] = await Promise.all([gather(paths, environment), gather(paths, {})]);
  const given = Object.entries(all).flatMap(([name, value]) => {
    const there = value?.startsWith(`${paths.root}/`) ? inFolder(paths, folder, value) : value;
    return file[name] === there ? [] : [[name, there]];
  });
  const asked = Object.entries(set).map(([name, value]) => [name, value || undefined]);
  return { ...Object.fromEntries(given), ...NOT_THERE, ...Object.fromEntries(asked) };
}

function inFolder({ root }: Pick<Paths, 'root'>, folder: string, file: string): string {
  const inside = relative(root, file);
  return inside.startsWith('..') ? file : resolve(folder, inside);
}

function stageOf({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'move/state');
}

/** @throws Failure `no-secret` where init-tls never ran to its end */
export async function httpSecretOf(paths: Paths, environment: Environment): Promise<string> {
  const { REGISTRY_HTTP_SECRET: secret } = await gather(paths, environment);
  if (secret !== undefined) return secret;
  throw new Failure('not-set-up', 'There is no registry here yet.', 'Make one: npm run init-tls -- --yes');
}
