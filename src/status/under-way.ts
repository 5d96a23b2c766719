import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Journal } from '../journal.ts';
import type { Paths } from '../paths.ts';
import type { Clock } from '../system/clock.ts';

/** A command of several steps that has not come to its end. */
export interface UnderWay {
  /** `npm run NAME` */
  readonly command: string;
  readonly since: Date;
  /** The step that it began last; may be empty. */
  readonly step: string;
  /** Whether it is at work; else it was interrupted, and the next run of it ends it. */
  readonly atWork: boolean;
}

/** Holders of a lock touch it every 5 s, and count as dead after 30. */
const STALE = 30_000;

export async function readUnderWay(
  { journals, state }: Pick<Paths, 'journals' | 'state'>,
  clock: Clock,
): Promise<UnderWay[]> {
  const names = await readdir(journals).catch((): string[] => []);
  const commands = names.filter((name) => /^[a-z-]+\.json$/.test(name)).map((name) => name.slice(0, -5));
  const found = await Promise.all(
    commands.sort().map(async (command) => {
      const entry = await new Journal(join(journals, `${command}.json`), clock).interrupted();
      if (entry === undefined) return []; // it came to its end just now
      return [{ command, since: entry.since, step: entry.step, atWork: await isHeld(state, command, clock) }];
    }),
  );
  return found.flat();
}

/** Whether somebody holds the lock of the storage, which the commands share, or one of the command's name. */
async function isHeld(state: string, command: string, clock: Clock): Promise<boolean> {
  const beats = await Promise.all(
    ['storage', command].map((name) => stat(join(state, 'locks', name)).catch(() => undefined)),
  );
  return beats.some((facts) => facts && Math.abs(clock.now().getTime() - facts.mtimeMs) < STALE);
}
