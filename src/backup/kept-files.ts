import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
} from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { isThere } from '../system/files.ts';

/**
 * What is backed up beside images, below the checkout: a file, or all that is in a folder. Not `var/storage.json`, the
 * jobs of the commands, sockets and logs, which are about this machine.
 */
export const KEPT = [
  '.env',
  'registry/auth',
  'retention.yaml',
  'nginx/user.d',
  'var/tls',
  'var/ca',
  'var/acme',
  'var/certbot',
  'var/renewal.json',
  'var/ledger.jsonl',
  'var/pruned.jsonl',
] as const;

/** Folders of a checkout: what is in them is kept, and not they themselves. */
const OF_THE_CHECKOUT: readonly string[] = ['registry/auth', 'nginx/user.d'];

/** Examples come with the checkout; locks and half-written files are nobody's. */
const LEFT_OUT = /(^\.(?!env$)|\.example$|\.lock$)/;

/**
 * Copies what there is, with its modes and times. Links stay links where they lead to something else that is kept; a file
 * or folder that is elsewhere, and only linked to, is copied: it would be missing on another machine.
 */
export async function copyKept(from: string, to: string): Promise<void> {
  for (const path of KEPT) {
    const real = await realpath(join(from, path)).catch(() => undefined);
    if (real !== undefined) await copy(real, join(to, path), real);
  }
}

/** What of it is there, each of which moves as one. */
export async function keptIn(root: string): Promise<readonly string[]> {
  const found = await Promise.all(
    KEPT.map(async (path) => {
      if (!OF_THE_CHECKOUT.includes(path)) return (await isThere(join(root, path))) ? [path] : [];
      const names = await readdir(join(root, path)).catch(() => []);
      return names.filter((name) => !LEFT_OUT.test(name)).map((name) => join(path, name));
    }),
  );
  return found.flat();
}

/** Files that the settings name and that are outside of what is kept: whoever restores has to bring them along. */
export function filesElsewhere(paths: Pick<Paths, 'root'>, settings: Settings): readonly string[] {
  const { provided, acmeTrust, dnsHook, storage, mirror } = settings;
  const named = [
    provided?.certificate,
    provided?.key,
    acmeTrust,
    dnsHook?.program,
    dnsHook?.envFile,
    storage.kind === 's3' ? storage.trust : undefined,
    mirror?.trust,
  ];
  const isKept = (path: string) =>
    KEPT.some((kept) => `${relative(paths.root, path)}/`.startsWith(`${kept}/`));
  return [...new Set(named)].filter((path) => path !== undefined).filter((path) => !isKept(path));
}

/** @param top what is kept as a whole, without links on the way to it */
async function copy(from: string, to: string, top: string): Promise<void> {
  const facts = await lstat(from).catch(() => undefined);
  if (facts === undefined) return;
  await mkdir(dirname(to), { recursive: true });
  if (facts.isDirectory()) {
    // The link to the certificate in use before the certificates: the newest is there by then.
    const names = (await readdir(from)).filter((name) => !LEFT_OUT.test(name));
    const links = await Promise.all(
      names.map(async (name) => (await lstat(join(from, name))).isSymbolicLink()),
    );
    const ordered = [...names.filter((_, at) => links[at]), ...names.filter((_, at) => !links[at])];
    await mkdir(to, { recursive: true, mode: 0o700 });
    for (const name of ordered) await copy(join(from, name), join(to, name), top);
    await chmod(to, facts.mode & 0o777);
  } else if (facts.isSymbolicLink()) {
    const elsewhere = await fileElsewhere(from, top);
    if (elsewhere !== undefined) return copy(elsewhere, to, elsewhere);
    await rm(to, { force: true });
    await symlink(await readlink(from), to);
    return;
  } else if (facts.isFile()) {
    await copyFile(from, to);
    await chmod(to, facts.mode & 0o777);
  } else return;
  await utimes(to, facts.atime, facts.mtime);
}

/** The file that a link leads to, if that is not kept with it. Of folders nobody knows where they end. */
async function fileElsewhere(link: string, top: string): Promise<string | undefined> {
  const real = await realpath(link).catch(() => undefined);
  if (real === undefined || `${real}${sep}`.startsWith(`${top}${sep}`)) return undefined;
  return (await stat(real)).isFile() ? real : undefined;
}
