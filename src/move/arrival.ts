import { join } from 'node:path';
import { readFar, writeFar } from '../deploy/far-files.ts';
import { Failure } from '../errors.ts';
import { paths } from '../paths.ts';
import { MOVE_FILE, type Move, moveText, parseMove } from '../stack/moved.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { parseLastPlace } from '../storage/last-place.ts';
import { NEW_MARK } from '../storage/old-places.ts';
import { expectDone, type Far } from './far.ts';
import { IMAGES } from './images.ts';

/** What the other machine has where a registry is to go. */
export interface Found {
  readonly settings: boolean;
  readonly images: boolean;
  /** Whether these are its own, or were brought by a move of it. */
  readonly claimed: boolean;
  readonly move: Move | undefined;
}

/** @param data where images are to be there @param id of the registry that is to go there */
export async function lookThere(far: Far, data: string | undefined, id: string): Promise<Found> {
  const { host, folder } = far;
  const there = async (path: string) => (await host.run(['test', '-e', path])).exitCode === 0;
  const text = await readFar(host, join(folder, MOVE_FILE));
  return {
    settings: await there(join(folder, '.env')),
    images: data !== undefined && (await there(join(data, IMAGES))),
    claimed: data !== undefined && ((await isClaimed(far, data, id)) || (await wasItsPlace(far, data))),
    move: text === undefined ? undefined : parseMove(text),
  };
}

/** What may be done with such a place: it is free, it has a copy of this very registry, or it is somebody else's. */
export type Occupancy = 'free' | 'copy' | 'occupied';

/** Pure. @param id of the registry that is to go there */
export function judgeOccupancy({ settings, images, claimed, move }: Found, id: string): Occupancy {
  if (move !== undefined) return move.id === id && (claimed || !images) ? 'copy' : 'occupied';
  return settings || images ? 'occupied' : 'free';
}

/** @throws Failure `occupied` */
export function expectFree(occupancy: Occupancy, { host, folder }: Far): void {
  if (occupancy !== 'occupied') return;
  throw new Failure(
    'occupied',
    `There is a registry already in ${folder} on ${host.name}, or there are images of another one where its images are to go.`,
    'Name another folder there by --dir, and REGISTRY_DATA_DIR, ports and a COMPOSE_PROJECT_NAME that are free by --set; or take that one away first.',
  );
}

/** From now on images in that folder are those of this move: what is not part of it is removed there. */
export async function claim({ host }: Far, data: string, id: string): Promise<void> {
  expectDone(host, 'mkdir', await host.run(['mkdir', '-p', '--', data]));
  await writeFar(host, join(data, NEW_MARK), `${JSON.stringify({ move: id })}\n`);
}

/** @throws Failure `occupied` for a folder that nobody has claimed: there may be another registry's images in it */
export async function expectClaimed(far: Far, data: string, id: string): Promise<void> {
  if (!(await isClaimed(far, data, id))) expectFree('occupied', far);
}

async function isClaimed({ host }: Far, data: string, id: string): Promise<boolean> {
  return (await readFar(host, join(data, NEW_MARK)))?.includes(id) === true;
}

/** It was there before it moved here, or is there under the very folder that is marked. */
async function wasItsPlace({ host, folder }: Far, data: string): Promise<boolean> {
  if (data.startsWith(`${folder}/`)) return true;
  const noted = await readFar(host, paths(folder).lastPlace);
  return noted !== undefined && parseLastPlace(noted)?.place === data;
}

/**
 * That the other one, which was started, is still where it was moved to, and can be told to stop.
 * @param force whether what was pushed to one that is gone is given up
 * @returns whether there is one to be stopped
 * @throws Failure `moved-on`, `gone-there`
 */
export async function expectStillThere({ host, folder }: Far, force: boolean): Promise<boolean> {
  const text = await readFar(host, join(folder, MOVE_FILE));
  const move = text === undefined ? undefined : parseMove(text);
  if (move?.kind === 'gone')
    throw new Failure(
      'moved-on',
      `The registry has moved on from ${host.name} to ${move.other}, which takes writes.`,
      `Take it back from there first, on ${host.name} in ${folder}: npm run move-to -- --cancel`,
    );
  if ((await host.run(['test', '-e', join(folder, '.env')])).exitCode === 0) return true;
  if (force) return false;
  throw new Failure(
    'gone-there',
    `There is no registry in ${folder} on ${host.name} any more, and what was pushed to it is not here.`,
    'If it was taken away for good: npm run move-to -- --cancel --force',
  );
}

/** From now on nothing that runs there takes writes, and init-tls there starts nothing. */
export async function announce({ host, folder }: Far, move: Move): Promise<Done> {
  const path = join(folder, MOVE_FILE);
  const before = await readFar(host, path);
  if (before !== undefined && parseMove(before).kind === 'coming')
    return unchanged(`${host.name} expects it`);
  await writeFar(host, path, moveText(move));
  return changed(`${host.name} expects it: nothing can be started there before it has come`);
}

/**
 * It has come: it may be started, and takes writes.
 * @param data where its images are there, which nobody removes any more
 */
export async function arrive({ host, folder }: Far, data?: string): Promise<void> {
  const marks = data === undefined ? [] : [join(data, NEW_MARK)];
  expectDone(host, 'rm', await host.run(['rm', '-f', '--', ...marks, join(folder, MOVE_FILE)]));
}
