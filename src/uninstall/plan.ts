import type { Held } from '../engine/holdings.ts';
import { Failure } from '../errors.ts';
import type { Action, FileKind, Staying } from './action.ts';
import type { FileFound, Found } from './found.ts';
import { sortImages } from './images.ts';
import { keptFiles, keptImages, keptPurged } from './kept.ts';
import { folderOf, isOurs, isWithin, PROJECT } from './ours.ts';

export interface Plan {
  /** In the order in which it is done: who writes ends first, and `.env`, which names the rest, goes last. */
  readonly actions: readonly Action[];
  readonly kept: readonly Staying[];
  /** What should go, and can't: the exit code is 1. */
  readonly remains: readonly Staying[];
}

export interface Wish {
  /** Images, users and certificates go too. */
  readonly purge: boolean;
  readonly root: boolean;
}

/** What Compose keeps in memory, by its names for it. */
const IN_MEMORY = ['registry-socket', 'gate-socket', 'mirror-socket', 'metrics'];
/** What Prometheus has seen. */
const HISTORY = 'prometheus-data';
const VOLUME = 'com.docker.compose.volume';

/**
 * Pure: what goes and what stays.
 * @throws Failure `in-use`, `root-needed`, where to go on would harm somebody
 */
export function planUninstall(found: Found, wish: Wish): Plan {
  const { engine, units } = found;
  if (wish.purge) expectPurgeable(found, wish);
  const blind = engine.kind === 'away';
  const held = engine.kind === 'answers' ? engine.held : undefined;
  const stack = held === undefined ? nothing() : planStack(found, held, wish);
  const purged = wish.purge && !blind ? planPurge(found) : [];
  const actions: Action[] = [
    ...(wish.root ? units.map((name) => ({ kind: 'unit', name }) as const) : []),
    ...stack.before,
    ...found.made.map(madeAction),
    ...purged.filter(({ kind }) => kind !== 'settings'),
    ...stack.images,
    ...purged.filter(({ kind }) => kind === 'settings'),
  ];
  return {
    actions,
    kept: [...(wish.purge ? keptPurged(found) : keptFiles(found)), ...stack.kept],
    remains: [...(wish.root ? [] : units.map(unitRemains)), ...(blind ? unseen(found, wish) : [])],
  };
}

function madeAction(thing: Found['made'][number]): Action {
  const { path, purpose } = thing;
  return { kind: 'made', name: path, purpose, ...('lines' in thing ? { line: true } : {}) };
}

function nothing() {
  return { before: [], images: [], kept: [] };
}

function planStack(found: Found, held: Held, { purge }: Wish) {
  const { checkout } = found;
  const projects = projectsOf(found, held);
  const ofProject = ({ labels }: { labels: Readonly<Record<string, string>> }) =>
    projects.has(labels[PROJECT] ?? '');
  const volumes = held.volumes.filter(ofProject);
  const going = [...IN_MEMORY, ...(purge ? [HISTORY] : [])];
  const goes = ({ labels }: { labels: Readonly<Record<string, string>> }) =>
    going.includes(labels[VOLUME] ?? '');
  const images = sortImages(held, { ...found, projects, named: namedImages(found), purge });
  const before: Action[] = [
    ...held.containers
      .filter((each) => isOurs(each, checkout))
      .map(({ name, id }) => ({ kind: 'container', name, id }) as const),
    ...held.networks.filter(ofProject).map(({ name, id }) => ({ kind: 'network', name, id }) as const),
    ...volumes.filter(goes).map(({ name }) => ({ kind: 'volume', name }) as const),
  ];
  return {
    before,
    images: images.remove.map(({ reference, bytes }) => ({ kind: 'image', name: reference, bytes }) as const),
    kept: keptImages(
      images,
      volumes.filter((each) => !goes(each)).map(({ name }) => name),
    ),
  };
}

/** The names of our stacks, without those that another checkout has: theirs are its networks and volumes then. */
function projectsOf({ checkout, project }: Found, { containers }: Held): ReadonlySet<string> {
  const ours = containers
    .filter((each) => isOurs(each, checkout))
    .flatMap(({ labels }) => labels[PROJECT] ?? []);
  const theirs = containers
    .filter((each) => folderOf(each) !== undefined && !isOurs(each, checkout))
    .map(({ labels }) => labels[PROJECT]);
  const all = project === undefined ? ours : [...ours, project];
  return new Set(all.filter((name) => !theirs.includes(name)));
}

function namedImages({ values }: Found): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    /^(REGISTRY|NGINX|CERTBOT|NODE|REDIS|PROMETHEUS|RENEWER|GATE|RELAY|EXPORTER)_IMAGE$/.test(name)
      ? value
      : [],
  );
}

function planPurge({ data, users, state, settings, own }: Found): Action[] {
  const files = (kind: FileKind, all: readonly FileFound[]) =>
    all
      .filter(({ path, link }) => !link && !own.includes(path))
      .map(({ path, bytes }) => ({ kind, name: path, bytes }) as const);
  return [
    ...data.flatMap(({ root, trees }) =>
      trees.map(({ path, bytes }) => ({ kind: 'data', name: path, bytes, root }) as const),
    ),
    ...files('users', users),
    ...files('state', state),
    ...files('settings', settings),
  ];
}

/** Whoever goes on writing would make anew what goes, or lose what is theirs. */
function expectPurgeable({ engine, data, checkout, units, otherData }: Found, { root }: Wish): void {
  if (!root && units.length > 0)
    throw new Failure(
      'root-needed',
      `${units.join(', ')} runs the daemon, which writes what is to be removed, and belongs to root.`,
      'Run this as root: sudo env "PATH=$PATH" npm run uninstall -- …',
    );
  if (engine.kind !== 'answers') return;
  for (const { root: folder, trees } of data) {
    const user = engine.held.containers.find(
      (each) => !isOurs(each, checkout) && each.sources.some((source) => isWithin(source, folder)),
    );
    const sharer = otherData.find((each) => each.folder === folder);
    if (sharer !== undefined && trees.length > 0)
      throw new Failure(
        'in-use',
        `${folder} is also the folder for images of the registry in ${sharer.checkout}.`,
        `Name another one there (REGISTRY_DATA_DIR), or uninstall that one first; without --purge they stay.`,
      );
    if (user === undefined || trees.length === 0) continue;
    throw new Failure(
      'in-use',
      `${folder} is also the folder of the container ${user.name}, which is not of this checkout.`,
      'If its images may go, remove that container first; without --purge they stay.',
    );
  }
}

function unitRemains(name: string): Staying {
  return {
    what: name,
    why: 'units of the machine belong to root',
    command: `sudo systemctl disable --now ${name}; sudo rm /etc/systemd/system/${name}; sudo systemctl daemon-reload`,
  };
}

/** Nobody knows what of it is there. */
function unseen({ engine }: Found, { purge }: Wish): Staying[] {
  if (engine.kind !== 'away') return [];
  const { message, remedy } = engine.failure;
  const docker = { what: 'containers, networks, volumes and images', why: message, command: remedy };
  const files = {
    what: 'images data, users, certificates and settings',
    why: 'containers may be using them',
  };
  return purge ? [docker, files] : [docker];
}
