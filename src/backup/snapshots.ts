import { z } from 'zod';
import { counted } from '../counted.ts';
import { Failure, WrongInput } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { missingDisk } from '../system/mounts.ts';
import type { Restic } from './restic.ts';

/** One backup, whole: restic writes what makes it visible when all of it is there. */
export interface Snapshot {
  readonly id: string;
  readonly shortId: string;
  readonly time: Date;
  /** DOMAIN of the registry. */
  readonly registry: string;
}

/** Tells ours from others in the same repository. */
export const TAG = 'moorage';

const shape = z
  .object({ id: z.string(), short_id: z.string(), time: z.coerce.date(), hostname: z.string() })
  .transform(
    ({ id, short_id, time, hostname }): Snapshot => ({ id, shortId: short_id, time, registry: hostname }),
  );

/** Oldest first. */
async function listSnapshots(restic: Restic): Promise<readonly Snapshot[]> {
  const all = await restic.askJson(['snapshots', '--tag', TAG], (value) =>
    z.array(shape).nullable().parse(value),
  );
  return [...(all ?? [])].sort((a, b) => a.time.getTime() - b.time.getTime());
}

/**
 * The snapshots there, in a repository that is made if there is none.
 * @throws Failure `disk-missing`, and those of restic
 */
export async function ensureRepository(restic: Restic, report: Report): Promise<Done<readonly Snapshot[]>> {
  const { target } = restic;
  await expectDisk(restic);
  report(`asking ${target.shown}`);
  try {
    await restic.ask(['unlock']); // what a killed run left: only locks whose process is gone, or of half an hour ago
    const snapshots = await listSnapshots(restic);
    return unchanged(`${target.shown}, ${inWords(snapshots.length)} there`, snapshots);
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'no-backup')) throw error;
  }
  await restic.ask(['init']);
  return changed(`${target.shown}, new`, []);
}

/** The snapshots in a repository that has to be there. */
export async function openRepository(restic: Restic, report: Report): Promise<Done<readonly Snapshot[]>> {
  await expectDisk(restic);
  report(`asking ${restic.target.shown}`);
  const snapshots = await listSnapshots(restic);
  return unchanged(`${restic.target.shown}, ${inWords(snapshots.length)} there`, snapshots);
}

/**
 * The one that an id begins, or the latest.
 * @throws WrongInput when there is none of that id, Failure `no-backup` when there is none at all
 */
export function choose(snapshots: readonly Snapshot[], id: string | undefined): Snapshot {
  const latest = snapshots.at(-1);
  if (latest === undefined)
    throw new Failure('no-backup', 'There is no backup of a registry in it.', 'Is it the right place?');
  if (id === undefined || id === 'latest') return latest;
  const found = snapshots.filter((each) => each.id.startsWith(id));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const known = snapshots.map(({ shortId }) => shortId).join(', ');
  throw new WrongInput([
    {
      input: '--snapshot',
      message: `"${id}" is ${only === undefined ? 'none' : 'more than one'} of ${known}`,
    },
  ]);
}

/** Backups on the disk below a mount point would be hidden by it later. */
async function expectDisk({ target }: Restic): Promise<void> {
  const point = target.kind === 'folder' ? await missingDisk(target.folder) : undefined;
  if (point === undefined) return;
  throw new Failure(
    'disk-missing',
    `${target.shown} should be on the disk that /etc/fstab mounts at ${point}, and that is not mounted.`,
    `sudo mount ${point}, then run this again.`,
  );
}

function inWords(many: number): string {
  return many === 0 ? 'no backups' : counted(many, 'backup');
}
