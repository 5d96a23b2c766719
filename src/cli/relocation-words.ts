import type { Moved } from '../app/relocation/relocation.ts';
import { counted } from '../counted.ts';
import { sizeInWords } from '../low-water.ts';

export function movedInWords({ to, files, bytes, refused, damaged }: Moved): string {
  const closed = refused === undefined ? '' : `; pushes were refused for ${refused.toFixed(1)} s`;
  const hurt =
    damaged.length === 0
      ? ''
      : `; ${counted(damaged.length, 'DAMAGED FILE', 'DAMAGED FILES')} came along as they were`;
  return `${sizeInWords(bytes)} in ${counted(files, 'file')} to ${to}${closed}${hurt}`;
}
