import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Paths } from '../paths.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { isThere, syncDirectory } from '../system/files.ts';
import { keptIn } from './kept-files.ts';
import { imagesStage } from './stage-images.ts';
import { settingsStage } from './stage-settings.ts';

/** What a restore is about to put into place; it outlives a kill. */
export interface Staged {
  readonly snapshot: string;
  /** Of the folders for what was there before. */
  readonly stamp: string;
  /** Where the images go; `undefined` when there are none in the snapshot. */
  readonly data: string | undefined;
}

/** distribution's own folder in the folder for images. */
const IMAGES = 'docker';

/** Moves away what is there, each by one rename. Nothing restored may be in place yet. */
export async function moveAside(paths: Paths, { stamp, data }: Staged): Promise<Done> {
  const name = `before-restore-${stamp}`;
  const moved: string[] = [];
  for (const path of await keptIn(paths.root))
    if (await move(join(paths.root, path), join(paths.state, name, path))) moved.push(path);
  if (data !== undefined && (await move(join(data, IMAGES), join(data, name, IMAGES)))) moved.push('images');
  if (moved.length === 0) return unchanged('nothing was there');
  return changed(`${moved.join(', ')}: kept in folders ${name}`);
}

/** Each by one rename; what is in place already is no longer staged. */
export async function putInPlace(paths: Paths, { data }: Staged): Promise<Done> {
  const stage = settingsStage(paths);
  if (data !== undefined) {
    await move(join(imagesStage(data), 'images', IMAGES), join(data, IMAGES));
    await rm(imagesStage(data), { recursive: true, force: true });
  }
  for (const path of await keptIn(stage)) await move(join(stage, path), join(paths.root, path));
  await rm(dirname(stage), { recursive: true, force: true });
  return changed(
    data === undefined ? 'users, certificates, settings' : `users, certificates, settings; images in ${data}`,
  );
}

/** `false` when it is not there. */
async function move(from: string, to: string): Promise<boolean> {
  if (!(await isThere(from))) return false;
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  await syncDirectory(dirname(to));
  return true;
}
