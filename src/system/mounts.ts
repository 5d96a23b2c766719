import { resolve } from 'node:path';
import { readIfExists } from './files.ts';

/**
 * The disk that `folder` should be on and is not, by its mount point: one that /etc/fstab mounts there or above, and that
 * is not mounted. Without it the files would go to the disk below, and vanish under it later.
 */
export async function missingDisk(folder: string): Promise<string | undefined> {
  const [wanted = '', mounted = ''] = await Promise.all(
    ['/etc/fstab', '/proc/self/mountinfo'].map(readIfExists),
  );
  return missingMount(folder, wanted, mounted);
}

/** Pure; fstab(5) and proc_pid_mountinfo(5) as text. */
export function missingMount(folder: string, fstab: string, mountinfo: string): string | undefined {
  const mounted = new Set(fields(mountinfo).map((line) => unescaped(line[4] ?? '')));
  const path = `${resolve(folder)}/`;
  const above = fields(fstab)
    .filter(([first]) => first?.startsWith('#') === false)
    .map((line) => unescaped(line[1] ?? '').replace(/(.)\/$/, '$1'))
    .filter((point) => point.startsWith('/') && point !== '/' && path.startsWith(`${point}/`));
  return above.find((point) => !mounted.has(point));
}

function fields(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first !== '');
}

/** Both files write spaces as \040. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Where file systems are mounted. */
export async function mountPoints(): Promise<readonly string[]> {
  const mounted = (await readIfExists('/proc/self/mountinfo')) ?? '';
  return fields(mounted).map((line) => unescaped(line[4] ?? ''));
}
