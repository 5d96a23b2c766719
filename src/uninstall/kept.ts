import { again } from '../journal.ts';
import type { Staying } from './action.ts';
import type { FileFound, Found } from './found.ts';
import type { Sorted } from './images.ts';
import { folded } from './names.ts';

const PURGE = 'kept, unless --purge is given';

/** What stays without --purge. */
export function keptFiles(found: Found): Staying[] {
  const { data, users, state, settings } = found;
  const trees = data.flatMap((each) => each.trees);
  const all = [
    [trees, 'images'],
    [users, 'users'],
    [state, 'certificates, CA and state'],
    [settings, 'settings'],
  ] as const;
  const files = all
    .filter(([items]) => items.length > 0)
    .map(([items, what]) => ({
      what: `${what}: ${folded(items.map(({ path }) => path)).join(', ')}`,
      why: PURGE,
    }));
  return [...files, ...machine(found)];
}

/** What stays though all goes. */
export function keptPurged(found: Found): Staying[] {
  const { values, data, users, state, settings, own } = found;
  const yours = [...users, ...state].filter(({ path }) => own.includes(path));
  const links = [...data.flatMap((each) => each.links), ...[...users, ...state, ...settings].flatMap(linkOf)];
  return [
    ...links.map((path) => ({
      what: path,
      why: 'a link, and what it leads to is not touched',
      command: `sudo rm ${quoted(path)}`,
    })),
    ...yours.map(({ path }) => ({ what: path, why: 'your own: a setting names it' })),
    ...bucket(found),
    ...backups(values),
    ...machine(found),
  ];
}

/** What of the engine stays. */
export function keptImages({ shared, wayBack, pulled }: Sorted, volumes: readonly string[]): Staying[] {
  const names = (images: Sorted['shared']) =>
    images
      .map(({ reference }) => reference)
      .toSorted()
      .join(' ');
  return [
    ...volumes.map((name) => ({ what: `volume ${name}`, why: 'kept', command: `docker volume rm ${name}` })),
    ...(shared.length === 0
      ? []
      : [{ what: names(shared), why: 'other stacks or containers here need them' }]),
    ...(wayBack.length === 0
      ? []
      : [
          {
            what: names(wayBack),
            why: '`npm run upgrade -- --undo` goes back to them; --purge removes them',
          },
        ]),
    ...(pulled.length === 0
      ? []
      : [
          {
            what: names(pulled),
            why: 'pulled or loaded, and perhaps others use them',
            command: `docker image rm ${names(pulled)}`,
          },
        ]),
  ];
}

function machine({ programs, carried, halfDone }: Found): Staying[] {
  return [
    ...halfDone.map(({ command }) => ({
      what: `an interrupted ${command}`,
      why: `\`${again({ command })}\` ends it once the registry runs again`,
    })),
    ...(programs === undefined
      ? []
      : [{ what: nameOf(programs), why: 'programs stay; others may use them', command: programs }]),
    ...(carried === undefined
      ? []
      : [
          {
            what: 'Node and npm that deploy brought',
            why: 'npm run needs them, and others may use them',
            command: carried,
          },
        ]),
  ];
}

function nameOf(removal: string): string {
  return / restic\b/.test(removal) ? 'Docker and restic' : 'Docker';
}

function bucket({ values, movedTo }: Found): Staying[] {
  if (values.STORAGE !== 's3' || !values.S3_BUCKET) return [];
  const what = `images in the bucket ${values.S3_BUCKET}`;
  const why =
    movedTo === undefined
      ? 'a bucket is never emptied from here; remove it with your provider’s own tool'
      : `the registry on ${movedTo} has them`;
  return [{ what, why }];
}

/** A target may also have been given on the command line. */
function backups({ BACKUP_TARGET: target, BACKUP_PASSWORD: password }: Found['values']): Staying[] {
  if (!target && !password) return [];
  const what = target ? 'backups (BACKUP_TARGET)' : 'backups';
  const lost = 'keep a copy of BACKUP_PASSWORD, which goes with .env: without it nobody can restore them';
  return [{ what, why: `never removed from here${password ? `; ${lost}` : ''}` }];
}

function linkOf({ path, link }: FileFound): string[] {
  return link ? [path] : [];
}

export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
