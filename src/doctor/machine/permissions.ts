import { chmod, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Paths } from '../../paths.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, together, warning } from '../finding.ts';

/** A file or a folder, and who may do what with it. */
export interface Entry {
  readonly path: string;
  /** As it is told: below the checkout where it can be, as commands are typed there. */
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
}

/** Whoever is neither its owner nor of its group, and its group. */
const OTHERS = 0o077;

export const permissionsCheck: Check<Context> = {
  name: 'permissions',
  group: 'Machine',
  within: SOON,
  run: async ({ paths, settings }) => {
    const [secrets, owned] = await Promise.all([
      gather(paths, await ownSecrets(paths)),
      gather(paths, ownedPlaces(paths, settings)),
    ]);
    const foreign = await gather(paths, foreignSecrets(settings));
    const state = owned.find(({ path }) => path === paths.state);
    const close = async (entry: Entry) => {
      await chmod(entry.path, entry.mode & ~OTHERS);
      return `${entry.name} is closed to all but its owner (was ${octal(entry.mode)})`;
    };
    return together(
      [
        ...secrets.map((entry) => judgeSecret(entry, () => close(entry))),
        ...foreign.map((entry) => judgeSecret(entry)),
        ...owned.map((entry) => judgeOwner(entry, state?.uid ?? process.getuid?.() ?? 0)),
      ],
      fine('nothing is there yet'),
    );
  },
};

/** @param close where the file is Moorage's own: then a doctor may mend it */
export function judgeSecret({ name, mode }: Entry, close?: () => Promise<string>): Finding {
  if ((mode & OTHERS) === 0) return fine('secrets are their owner’s alone');
  const readers = (mode & 0o007) === 0 ? 'its group' : 'every user of this machine';
  return broken(`${name} (${octal(mode)}) is open to ${readers}`, `chmod go= ${quoted(name)}`, close);
}

export function judgeOwner({ name, uid }: Entry, owner: number): Finding {
  if (uid === owner) return fine('secrets are their owner’s alone');
  return warning(
    `${name} belongs to user ${uid}, var to user ${owner}`,
    `sudo chown -R ${owner} ${quoted(name)}`,
  );
}

/** What Moorage writes so that nobody else can read it. */
async function ownSecrets(paths: Paths): Promise<string[]> {
  const generations = await readdir(paths.certificates).catch(() => []);
  return [
    paths.envFile,
    paths.usersFile,
    paths.tokensFile,
    paths.handover,
    join(paths.localAuthority, 'ca-key.pem'),
    ...generations
      .filter((name) => name !== 'current')
      .map((name) => join(paths.certificates, name, 'privkey.pem')),
    paths.acme,
    paths.certbot,
    paths.gate,
    paths.ledger,
  ];
}

/** What the person put there. It may be somebody else's to change. */
function foreignSecrets({ dnsHook, provided }: Settings): string[] {
  return [dnsHook?.envFile, provided?.key].filter((path) => path !== undefined);
}

/** registry/data itself; below it the registry writes as whoever its container runs as. */
function ownedPlaces(paths: Paths, { storage, registryDataDirectory }: Settings): string[] {
  const images = storage.kind === 'filesystem' ? [registryDataDirectory] : [];
  return [paths.state, paths.certificates, join(paths.usersFile, '..'), paths.usersFile, ...images];
}

async function gather({ root }: Paths, files: readonly string[]): Promise<Entry[]> {
  const found = files.map(async (path): Promise<Entry[]> => {
    try {
      const { mode, uid } = await stat(path);
      const inside = relative(root, path);
      return [{ path, name: inside.startsWith('..') ? path : inside, mode: mode & 0o777, uid }];
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
  return (await Promise.all(found)).flat();
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path}'`;
}
