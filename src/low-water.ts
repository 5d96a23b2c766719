import { counted } from './counted.ts';
import { unreachable } from './errors.ts';

/** A disk, in bytes. */
export interface Disk {
  /** What is free to everybody; the file system may keep some more for root. */
  readonly free: number;
  readonly size: number;
}

export interface MarkedDisk extends Disk {
  /** With less than this free pushes are refused. */
  readonly mark: number;
}

/** The disk of the images as `status` tells of it. `unwatched`: nobody sees to a mark, because a setting says so. */
export type DiskState =
  | { readonly kind: 'unwatched'; readonly because: 'AUTH' | 'STORAGE' | 'DISK_RESERVE' }
  | { readonly kind: 'unknown'; readonly because: string }
  | (MarkedDisk & { readonly kind: 'enough' | 'low' });

/** What is to stay free: bytes, or a share (0 to 1) of the disk. 0 bytes: nothing. */
export type Reserve = { readonly bytes: number } | { readonly share: number };

const MIB = 1024 ** 2;
/** Bytes that have to be free beyond the mark before pushes are taken again: else each of them would change that. */
const MOST_SLACK = 256 * MIB;

/** The low-water mark, in bytes: with less free than this pushes are refused. */
export function markOf(reserve: Reserve, { size }: Pick<Disk, 'size'>): number {
  return 'bytes' in reserve ? reserve.bytes : Math.ceil(reserve.share * size);
}

/** What has to be free before pushes are taken again, in bytes. */
export function returnOf(mark: number): number {
  return mark + Math.min(mark / 10, MOST_SLACK);
}

/** Whether so much is too little. Who was below a mark is above it only with some slack. */
export function isBelow(mark: number, free: number, before: boolean): boolean {
  return free < (before ? returnOf(mark) : mark);
}

/** Whether nothing is to stay free. */
export function isOff(reserve: Reserve): boolean {
  return 'bytes' in reserve ? reserve.bytes === 0 : reserve.share === 0;
}

/** For people, in a line. */
export function diskInWords(disk: DiskState): string {
  switch (disk.kind) {
    case 'unwatched':
      return UNWATCHED[disk.because];
    case 'unknown':
      return `can't be looked at: ${disk.because}`;
    case 'low':
    case 'enough': {
      const figures = `${sizeInWords(disk.free)} free of ${sizeInWords(disk.size)}`;
      const [mark, back] = [sizeInWords(disk.mark), sizeInWords(returnOf(disk.mark))];
      return disk.kind === 'enough'
        ? `${figures}; pushes are refused below ${mark}`
        : `only ${figures}: pushes are refused below ${mark}, and taken again from ${back} on`;
    }
    default:
      return unreachable(disk);
  }
}

const UNWATCHED = {
  AUTH: 'nobody keeps pushes from filling it: that is the gate’s work (AUTH=gate)',
  STORAGE: 'images are in a bucket',
  DISK_RESERVE: 'nobody keeps pushes from filling it: DISK_RESERVE is 0',
} as const;

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes for people: `1.2 GiB`. Rounded down: nobody is told of more than there is. */
export function sizeInWords(bytes: number): string {
  let value = Math.max(0, bytes);
  for (const unit of UNITS) {
    if (value < 1024 || unit === 'PiB') {
      const places = value < 10 && unit !== 'bytes' ? 10 : 1;
      return `${Math.floor(value * places) / places} ${unit}`;
    }
    value /= 1024;
  }
  return counted(bytes, 'byte');
}
