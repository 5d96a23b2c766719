import { execa } from 'execa';

export interface Mounted {
  readonly unmount: () => Promise<void>;
}

/** A disk of its own, which is full soon. Needs root. */
export async function mountSmallDisk(folder: string, kilobytes: number): Promise<Mounted> {
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'moorage-test', folder]);
  return { unmount: () => unmount(folder) };
}

/** From now on nobody writes there, root neither. Needs root. */
export async function mountReadOnly(folder: string): Promise<Mounted> {
  await execa('mount', ['--bind', folder, folder]);
  await execa('mount', ['-o', 'remount,bind,ro', folder]);
  return { unmount: () => unmount(folder) };
}

async function unmount(folder: string): Promise<void> {
  await execa('umount', [folder]);
}
