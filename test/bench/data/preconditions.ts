import { statfs } from 'node:fs/promises';
import { Failure } from '../../../src/errors.ts';
import type { Sizes } from './files.ts';

const GIB = 1024 ** 3;
/** statfs(2) */
const TMPFS = 0x01021994;

/**
 * @param folder on the disk that is measured
 * @throws Failure `not-root`, `not-a-disk`, `disk-too-small`
 */
export async function expectMachine(folder: string, { large, small }: Sizes): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Failure(
      'not-root',
      "What the containers' processes write stands in /proc/PID/io, which only root may read.",
      'Run it as root: sudo npm run bench -- data',
    );
  const { type, bavail, bsize } = await statfs(folder);
  if (type === TMPFS)
    throw new Failure(
      'not-a-disk',
      `${folder} is in memory.`,
      'Set TMPDIR to a folder on the disk to measure.',
    );
  // The files themselves, a copy of what is pulled for Moorage and one for the others, a push, and what nginx spools.
  const needed = ((large * 10 + small * 3) / 1024 + 1) * GIB;
  if (bavail * bsize < needed)
    throw new Failure(
      'disk-too-small',
      `${folder} has ${Math.floor((bavail * bsize) / GIB)} GiB free; ${Math.ceil(needed / GIB)} are needed.`,
      'Make room, or set TMPDIR to a folder on another disk.',
    );
}
