import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Condition } from '../../engine/engine.ts';
import { sizeInWords } from '../../low-water.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, together, warning } from '../finding.ts';

/** A log that nobody cuts fills the disk of the engine one day. */
const LARGE = 1024 ** 3;

export interface LogFacts {
  readonly part: string;
  readonly log: Condition['log'];
  /** Of all its files; `undefined`: they are the engine's, and can't be seen from here. */
  readonly bytes: number | undefined;
}

export const logsCheck: Check<Context> = {
  name: 'logs',
  group: 'Stack',
  within: SOON,
  run: async ({ stack }) => {
    const { containers } = await stack();
    const facts = containers.map(async ({ part, condition: { log } }) => ({
      part,
      log,
      bytes: await sizeOf(log.path),
    }));
    return judgeLogs(await Promise.all(facts));
  },
};

export function judgeLogs(facts: readonly LogFacts[]): Finding {
  if (facts.length === 0) return skipped('there are no containers');
  const known = facts.every(({ bytes }) => bytes !== undefined);
  const sum = facts.reduce((all, { bytes }) => all + (bytes ?? 0), 0);
  const words = known ? `${sizeInWords(sum)}, all of them rotated` : 'all of them rotated';
  const worst = together(facts.map(judgeLog), fine(''));
  return worst.verdict === 'fine' ? fine(words) : worst;
}

/** Docker's `json-file` grows without end unless it is told otherwise; `local` does not. */
function judgeLog({ part, log, bytes }: LogFacts): Finding {
  const cut = log.driver !== 'json-file' || log.options['max-size'] !== undefined;
  const size = bytes === undefined ? '' : ` (${sizeInWords(bytes)} now)`;
  const say = `docker compose up -d --force-recreate ${part}`;
  if (!cut)
    return (bytes ?? 0) > LARGE
      ? broken(`the log of ${part} grows without end${size}`, say)
      : warning(`the log of ${part} grows without end${size}`, say);
  if ((bytes ?? 0) > LARGE) return warning(`the log of ${part} is large${size}`, say);
  return fine('');
}

/** `…-json.log`, `…-json.log.1`, … */
async function sizeOf(path: string): Promise<number | undefined> {
  if (path === '') return undefined;
  try {
    const folder = dirname(path);
    const files = (await readdir(folder))
      .map((name) => join(folder, name))
      .filter((file) => file.startsWith(path));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return sizes.reduce((all, each) => all + each, 0);
  } catch {
    return undefined; // the engine's folder is root's, or on another machine
  }
}
