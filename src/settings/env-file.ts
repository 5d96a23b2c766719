import { readFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import type { Paths } from '../paths.ts';
import { ownerToKeep, readIfExists, writeAtomically } from '../system/files.ts';

const BEGIN = '# --- Written by init-tls. Change the settings above instead. ---';

/** Whether `.env` had to be made from `.env.dist`. */
export async function ensureEnvFile({ envFile, envExample }: Paths): Promise<boolean> {
  if ((await readIfExists(envFile)) !== undefined) return false;
  await writeAtomically(envFile, await readFile(envExample, 'utf8'), 0o600);
  return true;
}

/**
 * The text of a `.env` with one of the person's own lines set; `undefined` takes it away. A new one stands below its
 * commented default where there is one.
 */
function setLine(text: string, name: string, value: string | undefined): string {
  const at = text.indexOf(BEGIN);
  const own = at < 0 ? text : text.slice(0, at);
  return `${withLine(own.split('\n'), name, value).join('\n')}${at < 0 ? '' : text.slice(at)}`;
}

/**
 * Sets lines of the person's own, as `setLine`. Everything else stays as it is.
 * @returns the names whose lines changed
 */
export async function writeOwn(
  envFile: string,
  values: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const text = (await readIfExists(envFile)) ?? '';
  const before = parse(text.split(BEGIN)[0] ?? '');
  const differing = Object.keys(values).filter((name) => before[name] !== values[name]);
  if (differing.length === 0) return [];
  const content = differing.reduce((all, name) => setLine(all, name, values[name]), text);
  await writeAtomically(envFile, content, 0o600, await ownerToKeep(envFile));
  return differing;
}

function withLine(lines: readonly string[], name: string, value: string | undefined): string[] {
  const sets = (line: string) => new RegExp(`^\\s*(export\\s+)?${name}\\s*=`).test(line);
  const first = lines.findIndex(sets);
  const comment = lines.findIndex((line) => line.startsWith(`#${name}=`));
  const rest = lines.filter((line) => !sets(line));
  if (value === undefined) return rest;
  const end = lines.findLastIndex((line) => line.trim() !== '') + 1;
  const place = first >= 0 ? first : comment >= 0 ? comment + 1 : end;
  return rest.toSpliced(place, 0, `${name}=${value}`);
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
  const lines = Object.entries(after).map(([name, value]) => `${name}=${value}`);
  const head = own.trimEnd();
  await writeAtomically(
    envFile,
    [head, '', BEGIN, ...lines, ''].join('\n'),
    0o600,
    await ownerToKeep(envFile),
  );
  return differing;
}
