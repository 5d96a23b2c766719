import { stat } from 'node:fs/promises';
import { expectCopied } from '../remote/copied.ts';
import type { RemoteHost } from '../remote/host.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';

/** Where init-tls looks for images there; IMAGES_FILE is unset for it. */
export const ARCHIVE = 'var/images.tar';

/**
 * Brings an archive of images into the far checkout. One that was cut off is continued.
 * @throws Failure `copy-failed`, `disk-full`, and those of `RemoteHost`
 */
export async function copyArchive(
  host: RemoteHost,
  archive: string,
  folder: string,
  report: Report,
): Promise<Done> {
  const { size } = await stat(archive);
  const inWords = `${Math.round(size / 1024 ** 2)} MiB`;
  report(`copying ${inWords}`);
  await host.run(['mkdir', '-p', '--', `${folder}/var`]);
  return (await transfer(host, archive, folder, ['--partial']))
    ? changed(`${inWords} copied`)
    : unchanged(`${inWords}, there already`);
}

/** Whether `copyArchive` would copy it into a checkout that there is. Changes nothing. */
export async function archiveDiffers(host: RemoteHost, archive: string, folder: string): Promise<boolean> {
  // Into a folder that there is not yet, rsync would not even pretend to copy.
  if ((await host.run(['test', '-e', `${folder}/${ARCHIVE}`])).exitCode !== 0) return true;
  return transfer(host, archive, folder, ['--dry-run']);
}

async function transfer(
  host: RemoteHost,
  archive: string,
  folder: string,
  more: readonly string[],
): Promise<boolean> {
  const flags = ['--times', '--chmod=F600', '--chown=0:0', '--out-format=%i %n', ...more];
  const finished = await host.rsync((far) => [...flags, archive, far(`${folder}/${ARCHIVE}`)]);
  expectCopied(host, folder, finished, '--dir');
  return finished.stdout.startsWith('<');
}
