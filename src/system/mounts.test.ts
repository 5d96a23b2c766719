import { expect, test } from 'vitest';
import { missingMount } from './mounts.ts';

const FSTAB = `
# <file system> <mount point> <type>
UUID=1 / ext4 defaults 0 1
UUID=2 none swap sw 0 0
UUID=3 /srv/images ext4 defaults 0 2
UUID=4 /mnt/my\\040disk xfs noauto 0 0
#UUID=5 /mnt/old ext4 defaults 0 2
`;
const mountinfo = (...points: string[]) =>
  points.map((point, index) => `${index + 20} 1 8:${index} / ${point} rw - ext4 /dev/sda rw`).join('\n');

test.each([
  ['the mount point itself', '/srv/images', '/srv/images'],
  ['a folder below it', '/srv/images/a/b', '/srv/images'],
  ['a name with a space', '/mnt/my disk/registry', '/mnt/my disk'],
  ['a folder whose name only begins alike', '/srv/images-old', undefined],
  ['a line that is commented out', '/mnt/old', undefined],
  ['a folder on the root disk', '/var/lib/registry', undefined],
])('a disk of fstab that is not mounted is missed: %s', (_, folder, missing) => {
  expect(missingMount(folder, FSTAB, mountinfo('/'))).toBe(missing);
});

test('a disk that is mounted is not missed', () => {
  const mounted = mountinfo('/', '/srv/images', '/mnt/my\\040disk');
  expect(missingMount('/srv/images/a', FSTAB, mounted)).toBeUndefined();
  expect(missingMount('/mnt/my disk', FSTAB, mounted)).toBeUndefined();
});

test('a machine without fstab misses nothing', () => {
  expect(missingMount('/srv/images', '', mountinfo('/'))).toBeUndefined();
});
