import { z } from 'zod';
import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import { changed, type Done, type Report } from '../step.ts';
import { lastLines } from '../system/processes.ts';
import type { Restic } from './restic.ts';
import type { Aside } from './set-aside.ts';
import { type Snapshot, TAG } from './snapshots.ts';

/** restic wrote a snapshot, though it could not read everything. */
const NOT_ALL_READ = 3;

const summary = z
  .object({
    snapshot_id: z.string(),
    files_new: z.number(),
    data_added: z.number(),
    data_added_packed: z.number().optional(),
    total_bytes_processed: z.number(),
  })
  .transform((raw) => ({
    snapshot: raw.snapshot_id.slice(0, 8),
    newFiles: raw.files_new,
    /** What the target grew by, as far as restic says: 0.14 tells it before compression. */
    addedBytes: raw.data_added_packed ?? raw.data_added,
    bytes: raw.total_bytes_processed,
  }));

export type Made = z.infer<typeof summary>;

const progress = z.object({
  percent_done: z.number(),
  bytes_done: z.number().default(0),
  total_bytes: z.number().default(0),
});

/**
 * Makes a snapshot of what was set aside. It appears in the target as a whole, at the very end, or not at all.
 * @throws Failure `backup-incomplete` when a file could not be read, and those of restic
 */
export async function backUp(
  restic: Restic,
  { folder, targets, about }: Aside,
  before: Snapshot | undefined,
  report: Report,
): Promise<Done<Made>> {
  const parent = before === undefined ? [] : ['--parent', before.id];
  const args = ['backup', '--json', '--host', about.registry, '--tag', TAG, ...parent, ...targets];
  const { exitCode, stdout, stderr } = await restic.ask(args, {
    cwd: folder,
    accept: [NOT_ALL_READ],
    onLine: (line) => report(inWords(line)),
  });
  const made = summary.parse(JSON.parse(stdout.trim().split('\n').findLast(isSummary) ?? '{}'));
  if (exitCode === NOT_ALL_READ) {
    await restic.ask(['forget', made.snapshot]); // one of which something is missing must not be the latest
    throw new Failure(
      'backup-incomplete',
      `Not everything could be read:\n${lastLines(stderr, 3)}`,
      'Fix what it reports, then run this again. The backups made before are whole.',
    );
  }
  return changed(
    `${made.snapshot}: ${made.newFiles} new files, ${sizeInWords(made.addedBytes)} added of ${sizeInWords(made.bytes)}`,
    made,
  );
}

function isSummary(line: string): boolean {
  return line.includes('"message_type":"summary"');
}

function inWords(line: string): string {
  if (!/^\{.*\}$/.test(line)) return line.trim();
  const now = progress.safeParse(JSON.parse(line));
  if (!now.success) return '';
  const { percent_done, bytes_done, total_bytes } = now.data;
  return `${Math.floor(percent_done * 100)} %, ${sizeInWords(bytes_done)} of ${sizeInWords(total_bytes)}`;
}
