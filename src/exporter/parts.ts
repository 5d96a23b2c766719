import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../system/clock.ts';
import { readIfExists } from '../system/files.ts';
import type { Told } from './exposition.ts';
import { nginxMetrics } from './nginx-status.ts';

/** Where parts write. */
export interface Folders {
  /** The running ones, every few seconds. */
  readonly stack: string;
  /** The renewer and commands, now and then. */
  readonly state: string;
}

/** What a part has written, and when. */
export interface PartReport extends Told {
  readonly written: Date;
}

/** What a running part has written before that is not how things are: it would hide that it has stopped. */
const FRESH = 60_000;
const LARGEST = 4 * 1024 * 1024;
const MOST = 32;
const FILE = /^([a-z][a-z0-9-]{0,30})\.(prom|status)$/;

/**
 * All that parts have written. What a running one wrote long ago is told of by its time alone.
 * @param running the parts that are to run; what others have left in memory is nothing
 */
export async function readParts(
  { stack, state }: Folders,
  running: readonly string[],
  clock: Clock,
): Promise<readonly PartReport[]> {
  const fresh = clock.now().getTime() - FRESH;
  const reports = (await readFolder(stack)).filter(({ part }) => running.includes(part));
  const told = reports.map((report) => (report.written.getTime() < fresh ? { ...report, text: '' } : report));
  return [...told, ...(await readFolder(state))];
}

async function readFolder(folder: string): Promise<readonly PartReport[]> {
  const names = (await readdir(folder).catch(() => [])).sort().slice(0, MOST);
  return (await Promise.all(names.map((name) => readPart(folder, name)))).flat();
}

async function readPart(folder: string, name: string): Promise<readonly PartReport[]> {
  const [, part, kind] = FILE.exec(name) ?? [];
  if (part === undefined) return [];
  const path = join(folder, name);
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || facts.size > LARGEST) return [];
  const text = (await readIfExists(path).catch(() => undefined)) ?? '';
  const told = kind === 'status' ? await nginxMetrics(text) : text;
  return told === undefined ? [] : [{ part, text: told, written: facts.mtime }];
}
