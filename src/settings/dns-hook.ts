import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { messageOf, systemCode } from '../errors.ts';

const WRITABLE_BY_ALL = 0o002;
const OPEN_TO_OTHERS = 0o077;

/** Why a file is no good, as the end of a sentence that begins with its path, and what to do about it. */
export interface Unfit {
  readonly what: string;
  readonly remedy: string;
}

/** Why this path can't be ACME_DNS_HOOK; `undefined` when it can. */
export async function dnsHookProblem(path: string): Promise<Unfit | undefined> {
  const file = await lookAt(path);
  if ('what' in file) return file;
  if ((file.mode & WRITABLE_BY_ALL) !== 0) {
    return { what: 'can be changed by anybody', remedy: `chmod o-w '${path}'` };
  }
  try {
    await access(path, constants.X_OK);
    return undefined;
  } catch {
    return { what: 'is not executable', remedy: `chmod +x '${path}'` };
  }
}

/** Why this path can't be ACME_DNS_HOOK_ENV, which holds credentials; `undefined` when it can. */
export async function dnsHookEnvProblem(path: string): Promise<Unfit | undefined> {
  const file = await lookAt(path);
  if ('what' in file) return file;
  if ((file.mode & OPEN_TO_OTHERS) === 0) return undefined;
  return { what: 'is open to other users', remedy: `chmod 600 '${path}'` };
}

async function lookAt(path: string): Promise<{ readonly mode: number } | Unfit> {
  const remedy = 'correct the setting, or put the file there';
  try {
    const facts = await stat(path);
    return facts.isFile() ? { mode: facts.mode } : { what: 'is not a regular file', remedy };
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR';
    return { what: missing ? 'does not exist' : `can't be looked at: ${messageOf(error)}`, remedy };
  }
}
