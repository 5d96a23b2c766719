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

/** The text of a `.env` with one of the person's own settings changed: its line, that of its default, or a new one. */
export function setLine(text: string, name: string, value: string): string {
  const [own = '', ...block] = text.split(BEGIN);
  const line = `${name}=${value}`;
  const place = [new RegExp(`^${name}=.*$`, 'm'), new RegExp(`^#${name}=.*$`, 'm')].find((each) =>
    each.test(own),
  );
  const changed = place === undefined ? `${own.trimEnd()}\n${line}\n\n` : own.replace(place, () => line);
  return [changed, ...block].join(BEGIN);
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
