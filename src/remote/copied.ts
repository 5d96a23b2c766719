import { Failure } from '../errors.ts';
import type { Finished } from '../system/processes.ts';
import type { RemoteHost } from './host.ts';

/** Whether a copy ended for want of room. The side that reads may then see no more than the end of the other one. */
export function tellsOfFullDisk(stderr: string): boolean {
  return /No space left on device|Disk quota exceeded/.test(stderr);
}

/**
 * Makes sure that rsync has copied everything.
 * @param elsewhere how to name another folder than this one, for the remedy
 * @throws Failure `disk-full`, `copy-failed`
 */
export function expectCopied(
  { name }: Pick<RemoteHost, 'name'>,
  folder: string,
  { exitCode, stderr }: Finished,
  elsewhere: string,
): void {
  if (exitCode === 0) return;
  if (tellsOfFullDisk(stderr))
    throw new Failure(
      'disk-full',
      `The disk of ${folder} on ${name} is full.`,
      `Make room there, or name another folder by ${elsewhere}; then run this again.`,
    );
  throw new Failure(
    'copy-failed',
    `Copying to ${folder} on ${name} failed: ${stderr.trim().split('\n').slice(0, 5).join('\n')}`,
    'Fix what rsync reports, then run this again: it goes on where it ended.',
  );
}
