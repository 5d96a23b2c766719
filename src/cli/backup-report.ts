import type { About } from '../backup/about.ts';
import type { Made } from '../backup/back-up.ts';
import type { Snapshot } from '../backup/snapshots.ts';
import type { BackupTarget } from '../settings/backup-target.ts';
import type { Terminal } from './terminal.ts';

export interface BackupOutcome {
  readonly target: BackupTarget;
  readonly made: Made;
  readonly about: About;
  /** There was no backup in the target before. */
  readonly first: boolean;
  /** Files that the settings name and the backup does not have. */
  readonly elsewhere: readonly string[];
  readonly sameDisk: boolean;
}

export function sayBackedUp(terminal: Terminal, outcome: BackupOutcome): void {
  const { target, made, about, first, elsewhere, sameDisk } = outcome;
  const row = (name: string, text: string) => terminal.table([[name, text]]);
  terminal.line();
  row('Backup', `${terminal.style('bold', made.snapshot)} at ${target.shown}`);
  if (first)
    row('Password', `KEEP A COPY OF BACKUP_PASSWORD (in .env) ELSEWHERE: without it nobody can restore`);
  if (about.dataDirectory === undefined) row('Images', 'ARE NOT IN IT: the bucket has to keep them');
  if (about.incomplete.length > 0)
    row('Damaged', `the registry itself has not all of: ${about.incomplete.slice(0, 10).join(', ')}`);
  if (elsewhere.length > 0) row('Not in it', `${elsewhere.join(', ')}: keep a copy of your own`);
  if (sameDisk) row('Same disk', 'the images are on this disk too: one that fails takes both');
  row('Is it good?', 'npm run backup -- --verify');
}

export function sayList(terminal: Terminal, target: BackupTarget, snapshots: readonly Snapshot[]): void {
  if (snapshots.length === 0) terminal.line(`No backups at ${target.shown}.`);
  for (const { shortId, time, registry } of snapshots)
    terminal.line(`${shortId}  ${time.toISOString().slice(0, 19).replace('T', ' ')} UTC  ${registry}`);
}
