import { statfs } from 'node:fs/promises';
import { relative } from 'node:path';
import { type DiskState, diskInWords, sizeInWords } from '../../low-water.ts';
import { diskState } from '../../stack/image-disk.ts';
import { expectDataDirectory } from '../../storage/data-directory.ts';
import { diskOf } from '../../system/disk.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, together, unknown, warning } from '../finding.ts';

const MIB = 1024 ** 2;
/** init-tls refuses to start with less: certificates, logs and the users' files have to be written. */
const LEAST_FOR_STATE = 200 * MIB;
/** Of the space or the inodes of a file system. */
const NEARLY_FULL = 0.05;

export const diskCheck: Check<Context> = {
  name: 'disk',
  group: 'Machine',
  within: SOON,
  run: async ({ settings, paths }) => {
    const { storage, registryDataDirectory } = settings;
    const local = storage.kind === 'filesystem';
    if (local) await expectDataDirectory(registryDataDirectory);
    const folders = local ? [registryDataDirectory, paths.state] : [paths.state];
    const inodes = folders.map(async (folder) =>
      judgeInodes(shown(paths.root, folder), await inodesOf(folder)),
    );
    const findings = [
      judgeImages(await diskState(settings), local ? await diskOf(registryDataDirectory) : undefined),
      judgeState((await diskOf(paths.state)).free),
      ...(await Promise.all(inodes)),
    ];
    return together(findings, fine(''));
  },
};

/** @param disk where images are on this machine */
export function judgeImages(state: DiskState, disk: { free: number; size: number } | undefined): Finding {
  const words = diskInWords(state);
  const more =
    'npm run prune, then npm run gc; or put REGISTRY_DATA_DIR on a larger disk (docs/disk-space.md)';
  switch (state.kind) {
    case 'low':
      return broken(words, more);
    case 'enough':
      if (state.free < state.mark + state.size * NEARLY_FULL) return warning(words, more);
      return fine(words);
    case 'unknown':
      return unknown(words);
    case 'unwatched': {
      if (disk === undefined) return fine(words);
      const told = `${sizeInWords(disk.free)} free of ${sizeInWords(disk.size)}`;
      return disk.free < disk.size * NEARLY_FULL ? broken(`only ${told}; ${words}`, more) : fine(told);
    }
  }
}

export function judgeState(free: number): Finding {
  if (free >= LEAST_FOR_STATE) return fine('');
  return broken(
    `only ${sizeInWords(free)} free under var: certificates can't be renewed`,
    'Free space there.',
  );
}

/** File systems that make inodes as they need them say 0 of 0. */
export function judgeInodes(folder: string, { free, all }: { free: number; all: number }): Finding {
  if (all === 0 || free > all * NEARLY_FULL) return fine('');
  const told = `${folder}: ${free} of ${all} inodes free`;
  const say = 'Remove small files there, or move the folder to a file system with more inodes (df -i).';
  return free === 0 ? broken(told, say) : warning(told, say);
}

async function inodesOf(folder: string): Promise<{ free: number; all: number }> {
  const { ffree, files } = await statfs(folder);
  return { free: ffree, all: files };
}

function shown(root: string, folder: string): string {
  const inside = relative(root, folder);
  return inside.startsWith('..') ? folder : inside;
}
