import { Failure, systemCode } from '../errors.ts';

const REMEDIES: Readonly<Record<string, [what: string, remedy: string]>> = {
  ENOSPC: ['The disk is full', 'Free some space, then run this again; it goes on where it stopped.'],
  EDQUOT: ['The disk quota is used up', 'Free some space, then run this again; it goes on where it stopped.'],
  EROFS: ['The file system is read-only', 'Clone the project to a place that can be written to.'],
  EACCES: ['Permission was denied', 'Run this as the owner of the project folder, or as root.'],
  EPERM: ['Permission was denied', 'Run this as the owner of the project folder, or as root.'],
};

/** A system error that the person can do something about; `undefined` for what only a developer can. */
export function diskFailure(error: unknown): Failure | undefined {
  const code = systemCode(error);
  const known = code === undefined ? undefined : REMEDIES[code];
  if (code === undefined || known === undefined || !(error instanceof Error)) return undefined;
  const path = 'path' in error && typeof error.path === 'string' ? `: ${error.path}` : '';
  return new Failure(code, `${known[0]}${path} (${code}).`, known[1], { cause: error });
}
