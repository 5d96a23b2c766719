import { readFile, realpath } from 'node:fs/promises';
import { parse } from 'dotenv';
import { Failure, systemCode } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { isThere, ownerToKeep, readIfExists, writeAtomically } from '../system/files.ts';
import { OWN_NAMES } from './schema.ts';

const BEGIN = '# --- Written by init-tls. Change the settings above instead. ---';
/** Of a person's settings, what a command may write into the block. */
const REPLICAS = 'RENEWER_REPLICAS';
const PASSWORD = 'BACKUP_PASSWORD';

/** Whether `.env` had to be made from `.env.dist`. */
export async function ensureEnvFile({ envFile, envExample }: Paths): Promise<boolean> {
  if ((await readIfExists(envFile)) !== undefined) return false;
  await replaceEnvFile(envFile, await readFile(envExample, 'utf8'));
  return true;
}

/**
 * Replaces it as a whole, for its owner alone. One that is a link, as of people who keep their settings elsewhere, stays one.
 * @throws Failure `settings-missing` where it leads to nothing, such as a disk that is not there
 */
async function replaceEnvFile(envFile: string, text: string): Promise<void> {
  const file = await whereItIs(envFile);
  await writeAtomically(file, text, 0o600, await ownerToKeep(file));
}

async function whereItIs(envFile: string): Promise<string> {
  if (!(await isThere(envFile))) return envFile;
  try {
    return await realpath(envFile);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw new Failure(
      'settings-missing',
      `${envFile} is a link that leads to nothing.`,
      'Mount what it leads to, or remove the link, then run this again.',
    );
  }
}

/**
 * All that a `.env` says. The last line counts, as for Compose; but a password that a person gives counts more than the one
 * that was made.
 */
export function readAll(text: string): Record<string, string> {
  const given = parse(text.split(BEGIN)[0] ?? '')[PASSWORD];
  return given ? { ...parse(text), [PASSWORD]: given } : parse(text);
}

/**
 * The person's own lines: what stands above the block that init-tls writes, and what was appended to the file, as by
 * `echo NAME=VALUE >> .env`.
 */
export function readOwn(text: string): Record<string, string> {
  const [own = '', block = ''] = text.split(BEGIN);
  const isTheirs = (name: string) => OWN_NAMES.includes(name) && name !== REPLICAS && name !== PASSWORD;
  const appended = Object.entries(parse(block)).filter(([name]) => isTheirs(name));
  return { ...parse(own), ...Object.fromEntries(appended) };
}

/** The text of a `.env` with lines of the person's own set, and the names of those that were other ones. */
export function withOwn(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly names: readonly string[] } {
  const before = readOwn(text);
  const names = Object.keys(values).filter((name) => before[name] !== values[name]);
  return { text: names.reduce((all, name) => setLine(all, name, values[name]), text), names };
}

/**
 * The text of a `.env` with one of the person's own lines set; `undefined` takes it away. A new one stands below its
 * commented default where there is one.
 */
function setLine(text: string, name: string, value: string | undefined): string {
  const at = text.indexOf(BEGIN);
  const own = at < 0 ? text : text.slice(0, at);
  const block = at < 0 ? '' : text.slice(at);
  // An appended line would win over this one.
  const rest = name === REPLICAS ? block : withLine(block.split('\n'), name, undefined).join('\n');
  return `${withLine(own.split('\n'), name, value).join('\n')}${rest}`;
}

/**
 * Sets lines of the person's own, as `setLine`. Everything else stays as it is.
 * @returns the names whose lines changed
 */
export async function writeOwn(
  envFile: string,
  values: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const { text, names } = withOwn((await readIfExists(envFile)) ?? '', values);
  if (names.length > 0) await replaceEnvFile(envFile, text);
  return names;
}

function withLine(lines: readonly string[], name: string, value: string | undefined): string[] {
  const sets = (line: string) => new RegExp(`^\\s*(export\\s+)?${name}(\\s*=|:\\s)`).test(line);
  const first = lines.findIndex(sets);
  const comment = lines.findIndex((line) => line.startsWith(`#${name}=`));
  const rest = lines.filter((line) => !sets(line));
  if (value === undefined) return rest;
  const end = lines.findLastIndex((line) => line.trim() !== '') + 1;
  const place = first >= 0 ? first : comment >= 0 ? comment + 1 : end;
  return rest.toSpliced(place, 0, `${name}=${spelled(value)}`);
}

/** In quotes where Compose or dotenv would read something else without: a $, a #, a blank at an end, a quote at the beginning. */
function spelled(value: string): string {
  if (!/\$|^["'`]/.test(value) && parse(`NAME=${value}`).NAME === value) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/**
 * Keeps what init-tls found out in a block of its own at the end of `.env`, so that a plain `docker compose up -d`
 * starts the same stack. The person's lines stay as they are. An `undefined` value takes its line away.
 * @returns the names whose values changed
 */
export async function writeGenerated(
  envFile: string,
  values: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const text = (await readIfExists(envFile)) ?? '';
  const [own = '', block = ''] = text.split(BEGIN);
  const before = parse(block);
  const after: Record<string, string> = { ...before };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete after[name];
    else after[name] = value;
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const differing = names.filter((name) => before[name] !== after[name]);
  if (differing.length === 0) return [];
  const lines = Object.entries(after).map(([name, value]) => `${name}=${spelled(value)}`);
  const head = own.trimEnd();
  await replaceEnvFile(envFile, [head, '', BEGIN, ...lines, ''].join('\n'));
  return differing;
}

/**
 * Takes away what init-tls found out, but for some of it: where another machine gets the file it finds it out anew. What is
 * a person's stays: what was appended, and what backups are encrypted with.
 */
export async function dropGenerated(envFile: string, except: readonly string[]): Promise<void> {
  const [, block = ''] = ((await readIfExists(envFile)) ?? '').split(BEGIN);
  const stays = (name: string) => except.includes(name) || (OWN_NAMES.includes(name) && name !== REPLICAS);
  const names = Object.keys(parse(block)).filter((name) => !stays(name));
  await writeGenerated(envFile, Object.fromEntries(names.map((name) => [name, undefined])));
}
