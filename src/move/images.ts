import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import { expectCopied } from '../remote/copied.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { expectDone, type Far } from './far.ts';

/** distribution's own folder in REGISTRY_DATA_DIR: what else is beside it, as in /var/lib/docker, is somebody else's. */
export const IMAGES = 'docker/registry/v2';
/** rsync(1), EXIT VALUES: something went away while it was looked at. Whoever deletes or collects meanwhile may. */
const VANISHED = 24;
const ELSEWHERE = '--set REGISTRY_DATA_DIR=/folder';

/** Where images are on a disk. */
export interface Disks {
  /** REGISTRY_DATA_DIR here, and there. */
  readonly here: string;
  readonly there: string;
}

/**
 * Makes the images there what they are here: contents, owners and times, and nothing that is not here any more. Uploads
 * on their way are left out: clients begin them anew. One that was cut goes on where it was. The folder there has to be
 * claimed for that.
 * @throws Failure `disk-full`, `copy-failed`, `far-failed`, and those of the connection
 */
export async function sendImages({ host }: Far, { here, there }: Disks, report: Report): Promise<Done> {
  if (!(await isFolder(join(here, IMAGES)))) return unchanged('there are no images');
  expectDone(host, 'mkdir', await host.run(['mkdir', '-p', '--', `${there}/${IMAGES}`]));
  let [files, bytes] = [0, 0];
  const own = [
    '--numeric-ids',
    '--partial',
    '--delete-excluded',
    '--exclude=_uploads',
    '--out-format=%l %i %n',
  ];
  const finished = await host.rsync(
    (far) => ['--archive', ...own, `${here}/${IMAGES}/`, far(`${there}/${IMAGES}/`)],
    {
      onLine: (line) => {
        const [, size, kind] = /^(\d+) [<>](.)/.exec(line) ?? [];
        if (kind !== 'f') return;
        files += 1;
        bytes += Number(size);
        report(`${counted(files, 'file')}, ${sizeInWords(bytes)}`);
      },
    },
  );
  if (finished.exitCode !== VANISHED) expectCopied(host, there, finished, ELSEWHERE);
  return files === 0
    ? unchanged('nothing differs')
    : changed(`${counted(files, 'file')}, ${sizeInWords(bytes)}`);
}

/**
 * That every link there has the content that it has here, and that there is none more and none less. Of blobs only the
 * names are looked at: their contents are hashed there.
 * @throws Failure `copy-differs`
 */
export async function expectSameLinks({ host }: Far, { here, there }: Disks): Promise<Done> {
  if (!(await isFolder(join(here, IMAGES)))) return unchanged('there are no images');
  const compare = async (name: string, how: readonly string[]) => {
    const folder = `${IMAGES}/${name}`;
    if (!(await isFolder(join(here, folder)))) return []; // what was never pushed to
    const finished = await host.rsync((far) => [
      ...[
        '--recursive',
        '--links',
        '--dry-run',
        '--delete',
        '--exclude=_uploads',
        '--out-format=%i %n',
        ...how,
      ],
      `${here}/${folder}/`,
      far(`${there}/${folder}/`),
    ]);
    expectCopied(host, there, finished, ELSEWHERE);
    return finished.stdout.split('\n').filter((line) => /^([<>c]|\*deleting)/.test(line));
  };
  const links = await compare('repositories', ['--checksum']);
  const blobs = await compare('blobs', ['--size-only']);
  const found = [...links, ...blobs];
  if (found.length === 0) return unchanged('every link by its checksum, every blob by its name and size');
  throw new Failure(
    'copy-differs',
    `Not on ${host.name} as here: ${counted(found.length, 'file')}: ${found.slice(0, 5).join('; ')}`,
    'Something changes them there or here. Find out what, then run this again.',
  );
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/**
 * Free bytes where a folder is or will be.
 * @throws Failure `far-failed`
 */
export async function freeThere({ host }: Far, folder: string): Promise<number> {
  let place = folder;
  for (;;) {
    const finished = await host.run(['df', '-Pk', '--', place]);
    const kib = /(\d+)\s+\d+%/.exec(finished.stdout)?.[1];
    if (finished.exitCode === 0 && kib !== undefined) return Number(kib) * 1024;
    if (place === '/') expectDone(host, 'df', finished);
    if (place === '/') return 0;
    place = dirname(place);
  }
}
