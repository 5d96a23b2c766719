import { readIfExists } from '../system/files.ts';
import type { Run } from '../system/processes.ts';

const ENFORCE = '/sys/fs/selinux/enforce';
/** The types that container_t may write to (container-selinux). */
const FOR_CONTAINERS = /:(container_file_t|svirt_sandbox_file_t|container_share_t):/;

/**
 * The command that lets containers into `folder`, where SELinux enforces and the folder is not labelled for them;
 * `undefined` where there is nothing to do.
 */
export async function labelCommand(
  folder: string,
  run: Run,
  enforceFile = ENFORCE,
): Promise<string | undefined> {
  const enforcing = (await readIfExists(enforceFile).catch(() => undefined))?.trim() === '1';
  if (!enforcing) return undefined;
  const { exitCode, stdout } = await run('stat', ['--format=%C', folder]);
  const label = stdout.trim();
  if (exitCode !== 0 || !label.includes(':') || FOR_CONTAINERS.test(label)) return undefined;
  return `sudo chcon -Rt container_file_t '${folder}'`;
}
