import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { readCertificate } from '../certificates/certificate.ts';
import type { Held, Holdings } from '../engine/holdings.ts';
import { Failure } from '../errors.ts';
import { Made } from '../host/made.ts';
import { removalOfCarried, removalOfPrograms } from '../host/programs-here.ts';
import { unitsOf } from '../host/units-of.ts';
import { CHECKOUT_LABEL } from '../images/catalog.ts';
import { type Unfinished, unfinishedCommands } from '../journal.ts';
import { type Paths, paths as pathsOf } from '../paths.ts';
import { gather } from '../settings/load.ts';
import { readLastPlace } from '../storage/last-place.ts';
import { NEW_MARK, OLD_MARK, readOldPlaces } from '../storage/old-places.ts';
import type { Clock } from '../system/clock.ts';
import { isThere, readIfExists } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { findData, findSettings, findState, findUsers } from './files.ts';
import type { EngineFound, Found } from './found.ts';
import { FOLDER } from './ours.ts';

export interface Sources {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly run: Run;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly holdings: Holdings;
  /** Whether an engine that does not answer may be there at all. */
  readonly engineInstalled: () => Promise<boolean>;
  /** `/etc/systemd/system` */
  readonly units: string;
  readonly movedTo: Found['movedTo'];
}

/** Looks at everything, and needs no settings for it that could be read by a command: they may be gone or broken. */
export async function gatherFound(sources: Sources): Promise<Found> {
  const { paths, run, clock, environment, movedTo } = sources;
  const values = await gather(paths, environment);
  const settings = await findSettings(run, paths);
  const [engine, state, users, halfDone, programs, carried, units, made] = await Promise.all([
    lookAtEngine(sources),
    findState(run, paths),
    findUsers(run, paths),
    unfinishedCommands(paths.journals, clock),
    removalOfPrograms(run),
    removalOfCarried(),
    unitsOf(paths.root, sources.units),
    new Made(paths.made).all(),
  ]);
  const others = engine.kind === 'answers' ? await otherCheckouts(engine.held, paths.root) : [];
  return {
    checkout: paths.root,
    domain: (values.DOMAIN ?? (await certifiedName(paths)) ?? 'localhost').toLowerCase(),
    project: values.COMPOSE_PROJECT_NAME ?? (settings.length > 0 ? 'moorage' : undefined),
    values,
    engine,
    units,
    made,
    data: await Promise.all(
      (await dataFolders(paths, values, halfDone)).map((folder) => findData(run, folder)),
    ),
    users,
    state,
    settings,
    own: await ownFiles(paths, values),
    halfDone,
    movedTo,
    otherCheckouts: others,
    otherData: (await Promise.all(others.map(dataOf))).flat(),
    programs,
    carried,
  };
}

/** Files and folders of the person's own, and folders for images, in which there may be more than images. */
const NAMES_OWN = [
  ...['TLS_CERT_FILE', 'TLS_KEY_FILE', 'ACME_CA_BUNDLE', 'S3_CA_BUNDLE', 'MIRROR_CA_BUNDLE'],
  ...[
    'ACME_DNS_HOOK',
    'ACME_DNS_HOOK_ENV',
    'BACKUP_TARGET',
    'REGISTRY_DATA_DIR',
    'MIRROR_DATA_DIR',
    'IMAGES_FILE',
  ],
];

/** By the path that stands there, which may lead into the checkout over a link, and by the real one. */
async function ownFiles({ root }: Paths, values: Found['values']): Promise<string[]> {
  const named = NAMES_OWN.flatMap((name) => values[name]?.replace(/^local:/, '') ?? []); // as restic takes a folder
  const all = named.map((path) => resolve(root, path));
  return [...new Set([...all, ...(await Promise.all(all.map(realOf)))])];
}

async function lookAtEngine({ holdings, engineInstalled }: Sources): Promise<EngineFound> {
  try {
    return { kind: 'answers', held: await resolveFolders(await holdings.look()) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'engine-unreachable' && !(await engineInstalled())) return { kind: 'none' };
    return { kind: 'away', failure: error };
  }
}

/** Compose and the engine note folders as they were called: one may have come there over a link. */
async function resolveFolders(held: Held): Promise<Held> {
  const containers = held.containers.map(async (each) => {
    const folder = each.labels[FOLDER];
    const sources = await Promise.all(each.sources.map((one) => (isAbsolute(one) ? realOf(one) : one)));
    const labels = folder === undefined ? {} : { [FOLDER]: await realOf(folder) };
    return { ...each, sources, labels: { ...each.labels, ...labels } };
  });
  return { ...held, containers: await Promise.all(containers) };
}

function realOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/**
 * The settings say where images are, and init-tls has noted where they were when it last ran: they may have yet to follow, or
 * there may be no settings any more. Those that were moved keep their old places, as far as these say so themselves: on another
 * disk that is mounted there now are somebody else's.
 */
async function dataFolders(
  paths: Paths,
  values: Found['values'],
  halfDone: readonly Unfinished[],
): Promise<string[]> {
  const last = (await readLastPlace(paths.lastPlace))?.place;
  const noted = last !== undefined && isAbsolute(last) ? [last] : [];
  const images = values.REGISTRY_DATA_DIR ?? noted[0] ?? 'registry/data';
  const mirror = values.MIRROR_DATA_DIR ?? 'var/mirror';
  const noticed = await readOldPlaces(paths.oldPlaces);
  const old = await Promise.all(
    noticed.map(async ({ folder }) => ((await isThere(join(folder, OLD_MARK))) ? [folder] : [])),
  );
  return [
    ...new Set(
      [images, ...noted, mirror, ...old.flat(), ...(await halfMoved(paths, halfDone))].map((folder) =>
        resolve(paths.root, folder),
      ),
    ),
  ];
}

/** Where images are, and a copy of them, that were being moved by a run that was cut off. */
async function halfMoved({ root }: Paths, halfDone: readonly Unfinished[]): Promise<string[]> {
  const { from, to } = halfDone.find(({ command }) => command === 'storage')?.facts ?? {};
  if (from === undefined || to === undefined) return [];
  const mark = await readIfExists(join(to, NEW_MARK)).catch(() => undefined);
  return mark?.includes(JSON.stringify(root)) === true ? [from, to] : [from];
}

/** Where another checkout has its images, whether it runs or not. */
async function dataOf(checkout: string): Promise<readonly { folder: string; checkout: string }[]> {
  const places = pathsOf(checkout);
  try {
    const folders = await dataFolders(places, await gather(places, {}), []);
    return await Promise.all(folders.map(async (folder) => ({ folder: await realOf(folder), checkout })));
  } catch {
    return []; // somebody else's, who lets nobody look
  }
}

async function certifiedName({ certificates }: Paths): Promise<string | undefined> {
  try {
    return readCertificate(await readFile(join(certificates, 'current/fullchain.pem'), 'utf8')).names[0];
  } catch {
    return undefined;
  }
}

async function otherCheckouts({ images }: Held, checkout: string): Promise<string[]> {
  const all = new Set(images.flatMap(({ labels }) => labels[CHECKOUT_LABEL] ?? []));
  const there = [...all].filter((folder) => folder !== checkout);
  const found = await Promise.all(
    there.map(async (folder) => ((await realpath(folder).catch(() => undefined)) ? [folder] : [])),
  );
  return found.flat();
}
