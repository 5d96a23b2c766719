import { statfs } from 'node:fs/promises';
import type { Disk } from '../low-water.ts';

/** The disk that a folder is on (statvfs(3)). */
export async function diskOf(folder: string): Promise<Disk> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, size: blocks * bsize };
}
