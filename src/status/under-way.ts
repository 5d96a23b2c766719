import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unfinishedCommands } from '../journal.ts';
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
  const found = await unfinishedCommands(journals, clock);
  return Promise.all(
    found.map(async ({ command, since, step }) => ({
      command,
      since,
      step,
      atWork: await isHeld(state, command, clock),
    })),
  );
}

/** Whether somebody holds the lock of the storage, which the commands share, or one of the command's name. */
async function isHeld(state: string, command: string, clock: Clock): Promise<boolean> {
  const beats = await Promise.all(
    ['storage', command].map((name) => stat(join(state, 'locks', name)).catch(() => undefined)),
  );
  return beats.some((facts) => facts && Math.abs(clock.now().getTime() - facts.mtimeMs) < STALE);
}
