import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { utcMinute } from '../system/clock.ts';
import { ensureDirectory, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';

const shape = z.object({
  /** `gone`: to another machine, and this one is read-only. `coming`: from another one, and not to be used yet. */
  kind: z.enum(['gone', 'coming']),
  /** The same on both machines: see `identityOf` in src/move. */
  id: z.string(),
  /** The other machine, as a person writes it. */
  other: z.string(),
  /** Of the checkout on the other machine. */
  folder: z.string(),
  since: z.coerce.date(),
});

/** That a registry leaves this machine for good, or comes to it. */
export type Move = z.infer<typeof shape>;

/** A lease without an end: registry/config/lease.sh reads the first line alone. */
const LEASE = 'moved 0 9999999999';
const FILE = 'moved.lease';
/** nginx and the registry read it as whoever they are. */
const MODE = 0o644;

/** Below a checkout, for who writes it on another machine. */
export const MOVE_FILE = `var/maintenance/${FILE}`;

export function moveText(move: Move): string {
  return `${LEASE}\n${JSON.stringify(move)}\n`;
}

/** @throws Failure `move-unreadable` */
export function parseMove(text: string): Move {
  try {
    return shape.parse(JSON.parse(text.split('\n')[1] ?? ''));
  } catch (error) {
    throw new Failure(
      'move-unreadable',
      `${MOVE_FILE}, which says where the registry has moved to, can't be read.`,
      'While it is there nothing is written here. Remove it only if the registry has not moved.',
      { cause: error },
    );
  }
}

type Place = Pick<Paths, 'maintenance'>;

/** @throws Failure `move-unreadable` */
export async function readMove({ maintenance }: Place): Promise<Move | undefined> {
  const text = await readIfExists(join(maintenance, FILE));
  return text === undefined ? undefined : parseMove(text);
}

/** From now on nothing is written here, over restarts of the parts and of the machine, until `removeMove`. */
export async function writeMove({ maintenance }: Place, move: Move): Promise<void> {
  await ensureDirectory(maintenance);
  await writeAtomically(join(maintenance, FILE), moveText(move), MODE);
}

export async function removeMove({ maintenance }: Place): Promise<void> {
  await removeSynced(join(maintenance, FILE));
}

/**
 * For whoever changes something that would be lost, or would make a second registry of one.
 * @throws Failure `moved`, `moving-here`, `move-unreadable`
 */
export async function expectNotMoved(paths: Place): Promise<void> {
  const move = await readMove(paths);
  if (move === undefined) return;
  const since = utcMinute(move.since);
  if (move.kind === 'gone')
    throw new Failure(
      'moved',
      `This registry moved to ${move.other} on ${since}: what is changed here would be lost.`,
      `Do it there, in ${move.folder}. To have this one back: npm run move-to -- --cancel`,
    );
  throw new Failure(
    'moving-here',
    `A registry is on its way here from ${move.other}, since ${since}, and has not come yet.`,
    'On that machine `npm run move-to` ends it, and `npm run move-to -- --cancel` gives it up. If it is lost for good: docs/move.md, “Interrupted”.',
  );
}
